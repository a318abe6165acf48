"""The subscriber: keeps subscriptions at hubs, answers their calls, and polls the feeds that they push.

Nothing of a push is believed but that there is something new: its feed becomes due in SQL before the hub is answered,
and is polled like any other. So a push that is forged, cut, or only a part of the feed does no harm; what the poll
finds is what the publisher says; and a service that dies after the answer loses nothing.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog

from pipeline.errors import FetchError
from pipeline.ingest.work_loop import work_through
from pipeline.model import HubSubscription
from pipeline.runtime.context import RunContext
from pipeline.runtime.lease_owner import LeaseOwner
from pipeline.store.feeds import hub_subscriptions as store
from pipeline.store.feeds.hub_pushes import claim_pushed, record_push
from pipeline.websub.protocol import (
    DENIED_PAUSE,
    Intent,
    Signature,
    ask_again_at,
    is_wanted,
    lease_times,
    read_intent,
    request_form,
    token_of,
)
from pipeline.websub.server import CallbackReply, CallbackRequest

log = structlog.get_logger("news")

PUSH_PAUSE = timedelta(seconds=10)
"""Least time between two polls of one feed that pushes cause: a hub that calls every second is heard every tenth."""

ASKED_AT_ONCE = 4
"""Requests to hubs under way: many feeds share one hub, which is no less a host than others."""

ASKED_A_ROUND = 100
"""Subscriptions that are claimed at once."""

MAX_FAREWELLS = 3
"""Requests to end a subscription before it is forgotten: its callback is gone, and the lease ends by itself."""

_NOT_FOUND = CallbackReply(404, "no such callback")


class Subscriber:
    """The service without its clockwork: each method is one step.

    Args:
        context: what runs work with; its scope and owner are not used.
        base: address below which the callbacks lie (`pipeline.websub.protocol.callback_base`).
    """

    def __init__(self, context: RunContext, base: str) -> None:
        self._context = context
        self._base = base
        self._polling: set[int] = set()
        self.pushed = asyncio.Event()
        self.changed = asyncio.Event()

    def use(self, context: RunContext) -> None:
        """Go on with another context."""
        self._context = context

    async def keep(self) -> None:
        """Bring the subscriptions in line with the feeds, and ask the hubs for what is due."""
        await self._context.database.write(store.sync_subscriptions, self._context.now())
        await self.ask()

    async def ask(self) -> None:
        """Ask the hubs for what is due: subscriptions, renewals, ends."""
        now = self._context.now()
        free = asyncio.Semaphore(ASKED_AT_ONCE)
        while claimed := await self._context.database.write(
            store.claim_requests, now, ASKED_A_ROUND, lambda attempts: ask_again_at(now, attempts)
        ):
            await asyncio.gather(*(self._ask_one(subscription, free) for subscription in claimed))

    async def _ask_one(self, subscription: HubSubscription, free: asyncio.Semaphore) -> None:
        if subscription.state == "leaving" and subscription.attempts > MAX_FAREWELLS:
            await self._forget(subscription, "forgotten")
            return
        async with free:
            try:
                await self._context.client.post(subscription.hub_url, request_form(subscription, self._base))
            except FetchError as error:
                await self._refused(subscription, error)
            else:
                _tell(subscription, "asked", mode="leave" if subscription.state == "leaving" else "subscribe")

    async def _refused(self, subscription: HubSubscription, error: FetchError) -> None:
        now = self._context.now()
        if subscription.state == "leaving" and not error.temporary:
            await self._forget(subscription, "forgotten")  # a hub that knows nothing of it has nothing to end
            return
        pause = error.retry_after or ask_again_at(now, subscription.attempts) - now
        retry_at = now + (pause if error.temporary else DENIED_PAUSE)
        await self._context.database.write(
            store.record_refused, subscription, str(error), now, retry_at, denied=not error.temporary
        )
        _tell(subscription, "refused", error=str(error))

    async def answer(self, call: CallbackRequest) -> CallbackReply:
        """Answer a call of a hub, or of anybody."""
        subscription = await self._context.database.read(store.find_subscription, token_of(call.target))
        if subscription is None:
            return _NOT_FOUND
        if call.method == "GET":
            intent = read_intent(call.target)
            return _NOT_FOUND if intent is None else await self._answer_intent(subscription, intent)
        if call.method == "POST":
            return await self._take_push(subscription, call)
        return CallbackReply(405, "GET or POST")

    async def _answer_intent(self, subscription: HubSubscription, intent: Intent) -> CallbackReply:
        now = self._context.now()
        if intent.mode == "denied":
            return await self._denied(subscription, intent)
        if not is_wanted(subscription, intent):
            _tell(subscription, "unwanted", mode=intent.mode)
            return _NOT_FOUND
        if intent.mode == "unsubscribe":
            await self._forget(subscription, "left")
        else:
            expires_at, renew_at = lease_times(now, intent.lease)
            await self._context.database.write(store.record_verified, subscription, now, expires_at, renew_at)
            _tell(subscription, "verified", until=expires_at.isoformat())
        return CallbackReply(200, intent.challenge)

    async def _denied(self, subscription: HubSubscription, intent: Intent) -> CallbackReply:
        if intent.topic != subscription.topic_url:
            return _NOT_FOUND
        if subscription.state == "leaving":
            await self._forget(subscription, "left")
        else:
            reason = f"denied: {intent.reason[:500]}".removesuffix(": ")
            now = self._context.now()
            refused = subscription, reason, now, now + DENIED_PAUSE
            await self._context.database.write(store.record_refused, *refused, denied=True)
            _tell(subscription, "denied", error=reason)
        return CallbackReply(200)

    async def _take_push(self, subscription: HubSubscription, call: CallbackRequest) -> CallbackReply:
        if subscription.state == "leaving":
            return CallbackReply(410, "no longer wanted")
        signature = Signature(call.headers.get("x-hub-signature"), subscription.secret)
        async for piece in call.body:
            signature.update(piece)
        genuine = signature.is_good
        await self._context.database.write(record_push, subscription, self._context.now(), PUSH_PAUSE, genuine=genuine)
        if genuine:
            self.pushed.set()
        _tell(subscription, "pushed" if genuine else "bad_signature")
        # The same answer to both: who guesses at signatures learns nothing (7.2).
        return CallbackReply(202)

    async def poll_pushed(self) -> None:
        """Poll the feeds that were pushed, as an ordinary run does: one request at a time for each host."""
        context, now = self._context, self._context.now()
        feeds = await context.database.write(claim_pushed, now, PUSH_PAUSE) - self._polling
        if not feeds:
            return
        self._polling |= feeds
        try:
            scope = replace(context.scope, until=now, poll=True, crawl=False, feeds=feeds)
            await work_through(context.as_owner(str(LeaseOwner.new()), scope), None)
        finally:
            self._polling -= feeds

    async def leave(self) -> None:
        """Ask all hubs to end their subscriptions; `changed` is set at each that has ended."""
        await self._context.database.write(store.leave_hubs, self._context.now())
        await self.ask()

    async def _forget(self, subscription: HubSubscription, outcome: str) -> None:
        await self._context.database.write(store.forget_subscription, subscription)
        self.changed.set()
        _tell(subscription, outcome)


def _tell(subscription: HubSubscription, outcome: str, **facts: object) -> None:
    # Never the token or the secret: who has either can call in the hub's name.
    write = log.warning if outcome in ("refused", "denied", "bad_signature", "unwanted") else log.info
    write("subscription", hub=subscription.hub_url, topic=subscription.topic_url, outcome=outcome, **facts)
