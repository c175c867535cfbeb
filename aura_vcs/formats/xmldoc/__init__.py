"""XML documents read with the places of their elements, so that they can be changed as text."""
