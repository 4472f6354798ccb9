"""Hostile scenes, archives, models, studies and lock files: read, or refused in one sentence with their name, soon."""

import pytest

import hostile_inputs

#: Files of a kind in the fast suite, in the slow one, and in the long one.
FEW, SOME, MANY = 5, 100, 4_000


def check(kind, files):
    found = hostile_inputs.count(kind, files)
    print(f"\n{kind}: " + ", ".join(f"{end}: {number}" for end, number in sorted(found.outcomes.items())))
    print(f"{kind}: at most {found.most['s']:.2f} s and {found.most['MB']:.0f} MB for a file")
    assert set(found.outcomes) <= {"read", "refused"}, found.outcomes
    return found.outcomes


@pytest.mark.parametrize("kind", sorted(set(hostile_inputs.KINDS) - {"study"}))
def test_a_few_hostile_inputs_are_read_or_refused(kind):
    check(kind, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("kind", hostile_inputs.KINDS)
def test_some_hostile_inputs_are_read_or_refused(kind):
    found = check(kind, SOME)
    assert found["refused"], found


@pytest.mark.long
@pytest.mark.parametrize("kind", hostile_inputs.KINDS)
def test_many_hostile_inputs_are_read_or_refused(kind):
    found = check(kind, MANY)
    assert found["refused"], found
    assert found["read"], found
