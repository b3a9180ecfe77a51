"""The services that the examples talk to, together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from examples.services.accounts import Accounts
from examples.services.billing import Billing
from examples.services.desk import Desk
from examples.services.jobs import Jobs
from examples.services.loopback import Answer, Request, Service
from examples.services.mail import Mail
from examples.services.model import Model
from examples.services.restaurant import Restaurant
from examples.services.sales import Sales
from examples.services.travel import Travel


@dataclass(slots=True, kw_only=True)
class Services:
    """Every service under its name, such as ``/travel/flights/<id>``.

    Attributes:
        requests: What was asked, in order.
    """

    accounts: Accounts = field(default_factory=Accounts)
    billing: Billing = field(default_factory=Billing)
    desk: Desk = field(default_factory=Desk)
    jobs: Jobs = field(default_factory=Jobs)
    mail: Mail = field(default_factory=Mail)
    model: Model = field(default_factory=Model)
    restaurant: Restaurant = field(default_factory=Restaurant)
    sales: Sales = field(default_factory=Sales)
    travel: Travel = field(default_factory=Travel)
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Keep a request, and have the service answer that its path begins with."""
        self.requests.append(request)
        name, *rest = request.path
        service = self._named().get(name)
        if service is None:
            return Answer(status=404, body={"error": f"no service {name!r}"})
        return service.answer(replace(request, path=tuple(rest)))

    def asked(self, start: str) -> list[Request]:
        """Return the requests whose line begins so, such as ``POST /billing``."""
        return [request for request in self.requests if request.line.startswith(start)]

    def _named(self) -> dict[str, Service]:
        return {
            "accounts": self.accounts,
            "billing": self.billing,
            "desk": self.desk,
            "jobs": self.jobs,
            "mail": self.mail,
            "model": self.model,
            "restaurant": self.restaurant,
            "sales": self.sales,
            "travel": self.travel,
        }
