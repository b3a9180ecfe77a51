"""What the checker says: a finding in a file, and the rule that it breaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake at one place; its text is what editors and terminals can jump to.

    Attributes:
        path: The file, as it was given.
        line: Counted from 1.
        column: Counted from 1, in characters of the line.
        code: The rule, for example ``EVS101``.
        message: What is wrong.
        mend: What to write instead.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message}: {self.mend}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What checking one module gave.

    Attributes:
        findings: In the order of lines.
        workflows: How many functions are declared workflows.
        steps: How many functions are declared steps, or handed to ``ctx.step``.
        workflow_code: Whether anything was taken for workflow code at all.
    """

    findings: tuple[Finding, ...]
    workflows: int = 0
    steps: int = 0
    workflow_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of mistake.

    Attributes:
        code: ``EVS`` and three digits; never given to another rule.
        name: A name of one or two words.
        summary: What is a mistake, in one line.
        mend: What to do instead, in one line.
    """

    code: str
    name: str
    summary: str
    mend: str
