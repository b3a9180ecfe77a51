"""Handlers around an ``await`` may not swallow what the engine itself raises there."""

from __future__ import annotations

import pytest

from tests.unit.check.marks import assert_body_as_marked, findings

WRONG = {
    "bare": """
        try:
            await ctx.step(charge, 1)
        except:  #! EVS304
            pass
    """,
    "BaseException": """
        try:
            await ctx.step(charge, 1)
        except StepFailed:
            pass
        except BaseException as error:  #! EVS304
            ctx.logger.info("%s", error)
    """,
    "in a tuple": """
        try:
            async with order:
                pass
        except (ValueError, GeneratorExit):  #! EVS304
            pass
        try:
            async for each in order:
                pass
        except CancelledError:  #! EVS304
            pass
        try:
            [each async for each in order]
        except asyncio.CancelledError:  #! EVS304
            pass
    """,
    "raised again, but not always": """
        try:
            await ctx.step(charge, 1)
        except BaseException:  #! EVS304
            if order:
                raise
        try:
            await ctx.step(charge, 1)
        except BaseException:  #! EVS304
            if order:
                return
            raise
        try:
            await ctx.step(charge, 1)
        except BaseException:  #! EVS304
            if order:
                raise
            else:
                ctx.now()
    """,
    "another error instead": """
        try:
            await ctx.step(charge, 1)
        except BaseException as error:  #! EVS304
            raise ValueError("no") from error
        try:
            await ctx.step(charge, 1)
        except BaseException:  #! EVS304
            raise order
    """,
    "groups": """
        try:
            await ctx.step(charge, 1)
        except* BaseException:  #! EVS304
            pass
    """,
    "suppress": """
        with contextlib.suppress(ValueError, BaseException):  #! EVS304
            await ctx.step(charge, 1)
        with quiet(BaseException):  #! EVS304
            await ctx.step(charge, 1)
    """,
    "return in finally": """
        try:
            await ctx.step(charge, 1)
        finally:
            return  #! EVS304
    """,
}
WRONG |= {
    "only errors are raised again": """
        try:
            await ctx.step(charge, 1)
        except BaseException as error:  #! EVS304
            if isinstance(error, Exception):
                raise
        try:
            await ctx.step(charge, 1)
        except BaseException as error:  #! EVS304
            if not isinstance(error, BaseException):
                raise
        try:
            await ctx.step(charge, 1)
        except BaseException as error:  #! EVS304
            if not isinstance(error, Exception):
                return
            raise
    """,
    "left before it is raised again": """
        for each in order:
            try:
                await ctx.step(charge, 1)
            except BaseException:  #! EVS304
                for other in each:
                    pass
                else:
                    break
                raise
        try:
            await ctx.step(charge, 1)
        except BaseException as error:  #! EVS304
            other = ValueError()
            raise other.with_traceback(None)
        try:
            await ctx.step(charge, 1)
        except BaseException as error:  #! EVS304
            raise order.with_traceback
    """,
}

RIGHT = {
    "errors": """
        try:
            await ctx.step(charge, 1)
        except StepFailed:
            pass
        except (ValueError, KeyError):
            pass
        except Exception:
            pass
        finally:
            order.close()
        with contextlib.suppress(Exception), order:
            await ctx.step(charge, 1)
        with order.suppress(BaseException):
            await ctx.step(charge, 1)
    """,
    "raised again": """
        try:
            await ctx.step(charge, 1)
        except BaseException:
            ctx.logger.info("leaving")
            raise
        try:
            await ctx.step(charge, 1)
        except BaseException as error:
            raise error
        try:
            await ctx.step(charge, 1)
        except:
            if order:
                raise
            else:
                ctx.now()
                raise
        try:
            await ctx.step(charge, 1)
        except BaseException:
            with order:
                raise
        try:
            await ctx.step(charge, 1)
        except BaseException:
            if order:
                ctx.now()
            with order:
                ctx.now()
            try:
                ctx.now()
            except ValueError:
                pass
            raise
    """,
    "more than errors is raised again": """
        try:
            await ctx.step(charge, 1)
        except BaseException as error:
            if not isinstance(error, Exception):
                raise
            return
        try:
            await ctx.step(charge, 1)
        except BaseException as error:
            if isinstance(error, (ValueError, TypeError)):
                return
            raise
    """,
    "raised again by another name": """
        try:
            await ctx.step(charge, 1)
        except BaseException as error:
            failed = error
            raise failed from None
        try:
            await ctx.step(charge, 1)
        except BaseException as error:
            raise error.with_traceback(None)
    """,
    "loops and functions inside the handler": """
        try:
            await ctx.step(charge, 1)
        except BaseException:
            for each in order:
                if each:
                    continue
                break
            while order:
                break
            def last():
                return 1
            raise
    """,
    "nothing is awaited": """
        try:
            int(order)
        except:
            pass
        try:
            async def later():
                await ctx.sleep(1)
        except BaseException:
            pass
        finally:
            order.close()
        with contextlib.suppress(BaseException):
            int(order)
        def helper():
            try:
                return int(order)
            finally:
                return 0
    """,
    "annotations inside": """
        try:
            text: "str" = order
            def inner(number: "int") -> "int": ...
        except BaseException:
            pass
    """,
    "a class of the same name": """
        BaseException = ValueError
        try:
            await ctx.step(charge, 1)
        except BaseException:
            pass
    """,
    "a return in a function inside finally": """
        try:
            await ctx.step(charge, 1)
        finally:
            def last():
                return 1
    """,
}

IMPORTS = """
    import asyncio, contextlib
    from asyncio import CancelledError
    from contextlib import suppress as quiet
"""


@pytest.mark.parametrize("body", [*WRONG.values(), *RIGHT.values()], ids=[*WRONG, *RIGHT])
def test_a_handler_that_swallows_the_engines_signals_is_reported(body: str) -> None:
    assert_body_as_marked(body, IMPORTS)


def test_a_step_may_catch_what_it_likes() -> None:
    assert_body_as_marked(
        "await ctx.step(work, order)",
        """
        @step
        async def work(order: str) -> None:
            try:
                await order.send()
            except BaseException:
                pass
        """,
    )


@pytest.mark.parametrize(
    ("handler", "shown"),
    [("except:", "except:"), ("except BaseException:", "except BaseException:")],
)
def test_the_finding_names_the_handler_and_proposes_another(handler: str, shown: str) -> None:
    (finding,) = findings(f"try:\n    await ctx.sleep(1)\n{handler}\n    pass")
    assert finding.message == f"{shown} around an await swallows the engine's own signals"
    assert finding.mend == "catch StepFailed or Exception, or raise it again"
