"""What is written of the list of cases."""

import pytest

from centrum.cohort.withheld import ManyRoles, withheld
from centrum.provenance import Step
from centrum.study import study as module


def test_of_many_names_a_note_is_compared_with_its_own_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a list of a hundred thousand cases with a note each takes hours."""
    compared: list[int] = []

    def counted(text, roles, words):
        compared.append(len(roles))
        return withheld(text, roles, words)

    monkeypatch.setattr(module, "withheld", counted)
    names = ManyRoles({"Anna Roth": "P1", **{f"patient {k}": f"P{k}" for k in range(2, 1000)}})
    notes = ("row 3: the ages of Anna Roth and patient 7 differ", "no name")
    step = module._written_step(Step("read manifest", {"notes": notes, "rows": 2}), names, ())
    assert step.parameters == {
        "notes": ("row 3: the ages of P1 and P7 differ", "no name"),
        "rows": 2,
    }
    assert compared == [2, 0]
