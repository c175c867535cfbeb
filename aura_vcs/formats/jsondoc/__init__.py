"""JSON documents: parsed with limits, pointed into, patched, and edited without touching other bytes."""
