"""Greet a new user, give them some time, then ask how it goes: step, sleep, step."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from everstep import Context, Retry, step, step_context, workflow


class NewUser(BaseModel):
    """Who signed up, and how long to wait before the second mail."""

    name: str = Field(min_length=1, max_length=200)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)
    pause: timedelta = Field(default=timedelta(days=3), ge=timedelta(0))


class Greeted(BaseModel):
    """What was sent."""

    welcome: str
    follow_up: str


@step(retry=Retry(max_attempts=5, initial_delay=2), timeout=20)
def send_email(to: str, subject: str, text: str) -> str:
    """Hand a mail to the mail service and return its id.

    This example has no mail service: it writes a log line. Yours would be called here, with the
    idempotency key, so that a repeated attempt does not send a second mail.
    """
    context = step_context()
    context.logger.info("mail to %s: %s (%d characters)", to, subject, len(text))
    return f"mail-{context.idempotency_key}"


@workflow(name="welcome-email")
async def welcome_email(ctx: Context, user: NewUser) -> Greeted:
    """Send two mails with a durable sleep between them; while it sleeps nothing runs."""
    welcome = await ctx.step(
        send_email, user.email, "Welcome!", f"Hello {user.name}, good to have you here."
    )
    await ctx.sleep(user.pause, name="settle-in")
    follow_up = await ctx.step(
        send_email, user.email, "How is it going?", f"{user.name}, is there anything we can do?"
    )
    return Greeted(welcome=welcome, follow_up=follow_up)
