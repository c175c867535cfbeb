"""Where files come from: what people and programs say of it, and what files bring along."""
