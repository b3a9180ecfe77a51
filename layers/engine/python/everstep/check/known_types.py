"""Names that the resolver knows more about: other spellings, and what methods give."""

from __future__ import annotations

from typing import Final

CONTEXT_CLASS: Final = "everstep.Context"
CONTEXT: Final = "everstep.Context()"
STEP_DECORATOR: Final = "everstep.step"
WORKFLOW_DECORATOR: Final = "everstep.workflow"
# A step: what @step makes of a function.
STEP: Final = "everstep.Step()"
# What ctx.saga() gives, and what awaiting ctx.start(…) does.
SAGA: Final = "everstep.Saga()"
CHILD: Final = "everstep.ChildRun()"

SETS: Final = frozenset({"builtins.set()", "builtins.frozenset()"})
# Generators that give the same numbers when they are given a seed.
SEEDABLE: Final = frozenset(
    {"random.Random", "numpy.random.default_rng", "numpy.random.RandomState"}
)
# Objects that are changed by their methods.
CONTAINERS: Final = frozenset(
    {
        "builtins.bytearray()",
        "builtins.dict()",
        "builtins.list()",
        "builtins.set()",
        "collections.Counter()",
        "collections.OrderedDict()",
        "collections.defaultdict()",
        "collections.deque()",
    }
)
# typing.X[A, …] says that the value is an A.
TRANSPARENT_ANNOTATIONS: Final = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Annotated", "ClassVar", "Final", "Optional", "Required", "NotRequired")
)
# Without brackets they say nothing about the value.
BARE_ANNOTATIONS: Final = TRANSPARENT_ANNOTATIONS | {"typing.Any", "typing_extensions.Any"}

_SPELLINGS: Final = {
    "everstep.authoring.children.ChildRun": "everstep.ChildRun",
    "everstep.authoring.context.Context": CONTEXT_CLASS,
    "everstep.authoring.sagas.Saga": "everstep.Saga",
    "everstep.authoring.steps.Step": "everstep.Step",
    "everstep.authoring.steps.step": STEP_DECORATOR,
    "everstep.authoring.workflows.workflow": WORKFLOW_DECORATOR,
    "asyncio.exceptions.CancelledError": "asyncio.CancelledError",
    "concurrent.futures._base.CancelledError": "concurrent.futures.CancelledError",
    "typing.Set()": "builtins.set()",
    "typing.MutableSet()": "builtins.set()",
    "typing.AbstractSet()": "builtins.frozenset()",
    "typing.FrozenSet()": "builtins.frozenset()",
    "collections.abc.Set()": "builtins.frozenset()",
    "collections.abc.MutableSet()": "builtins.set()",
    "typing.List()": "builtins.list()",
    "typing.Dict()": "builtins.dict()",
    "collections.abc.MutableSequence()": "builtins.list()",
    "collections.abc.MutableMapping()": "builtins.dict()",
}
_OTHER_PATHS: Final = (
    "absolute expanduser joinpath relative_to resolve with_name with_stem with_suffix"
)
_OTHER_SETS: Final = "copy difference intersection symmetric_difference union"
_RESULTS: Final = {
    # step(…)(function) is a step, and so is a step with other options.
    f"{STEP_DECORATOR}()()": STEP,
    "everstep.Step().with_options()": STEP,
    f"{CONTEXT}.saga()": SAGA,
    "pathlib.Path().parent": "pathlib.Path()",
    "pathlib.Path.cwd()": "pathlib.Path()",
    "pathlib.Path.home()": "pathlib.Path()",
    **{f"pathlib.Path().{name}()": "pathlib.Path()" for name in _OTHER_PATHS.split()},
    **{f"{kind}.{name}()": kind for kind in sorted(SETS) for name in _OTHER_SETS.split()},
}
_CANONICAL: Final = _SPELLINGS | _RESULTS


def canonical(name: str) -> str:
    """Return the name under which rules know it."""
    return _CANONICAL.get(name, name)


def awaited(name: str) -> str | None:
    """Return what awaiting something gives; None if it is not known."""
    return CHILD if name == f"{CONTEXT}.start()" else None
