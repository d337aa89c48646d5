"""What an error followed from, whatever was raised from what."""

import pytest

from natya.domain.causes import causes_of


def linked(causes, contexts=None):
    """Make an error for each name; `causes` and `contexts` say by name from which it was raised, and behind which."""
    names = {*causes, *causes.values(), *(contexts or {}), *(contexts or {}).values()}
    errors = {name: RuntimeError(name) for name in names}
    for name, cause in causes.items():
        errors[name].__cause__ = errors[cause]
    for name, context in (contexts or {}).items():
        errors[name].__context__ = errors[context]
    return errors


@pytest.mark.parametrize(
    ("causes", "contexts", "found", "with_context"),
    [
        ({"a": "b", "b": "c"}, {}, "abc", "abc"),
        ({"a": "b"}, {"a": "x", "b": "c"}, "ab", "abc"),
        ({"b": "c"}, {"a": "b"}, "a", "abc"),
        ({"a": "a"}, {}, "a", "a"),
        ({"a": "b", "b": "c", "c": "b"}, {}, "abc", "abc"),
        ({"a": "b"}, {"b": "a"}, "ab", "ab"),
    ],
)
def test_are_the_errors_one_after_another_each_once(causes, contexts, found, with_context):
    first = linked(causes, contexts)["a"]

    assert "".join(map(str, causes_of(first))) == found
    assert "".join(map(str, causes_of(first, with_context=True))) == with_context


def test_are_those_of_one_that_is_false_too():
    class Empty(Exception):  # noqa: N818
        def __bool__(self):
            return False

    first, second, third = Empty("a"), Empty("b"), RuntimeError("c")
    first.__cause__, second.__context__ = second, third

    assert [*causes_of(first, with_context=True)] == [first, second, third]


def test_of_no_error_are_none():
    assert [*causes_of(None)] == []
