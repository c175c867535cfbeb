"""Import of an Aura studio's database: its projects become folders with their history."""
