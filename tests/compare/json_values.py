"""Generated JSON values that the tests of this folder share."""

from hypothesis import settings, strategies as st

# Machines that run several jobs at once are slow at times; slowness has tests of its own. The
# slow tests run the most telling properties with many more examples.
unhurried = settings(deadline=None, max_examples=60)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**90), 2**90),
    st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e300]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "b", "/", "~", "~1", "ü", "0", "-"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
KEYS = st.sampled_from(["id", "name", "a", "b", "c", "", "~0", "x/y", "0", "ü"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)
IDENTIFIED = st.lists(
    st.fixed_dictionaries({"id": st.integers(0, 12), "a": SCALARS}, optional={"b": VALUES}),
    max_size=8,
    unique_by=lambda element: element["id"],
)
DOCUMENTS = st.one_of(VALUES, IDENTIFIED, st.fixed_dictionaries({"scenes": IDENTIFIED, "tone": SCALARS}))
