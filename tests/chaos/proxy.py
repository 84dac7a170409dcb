"""TCP proxies between the parts, which can hurt the connections that go through them."""

import asyncio
import socket
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, TypeVar

from tests.chaos.connection import HOST, Cut, Harm, Pair, Route

ORDER_SECONDS = 10.0

Result = TypeVar("Result")


class _Link:
    """One listening port that leads to one target."""

    def __init__(self, target: int) -> None:
        self.route = Route(target)
        self.listening = socket.create_server((HOST, 0), backlog=256)
        self.listening.settimeout(0)
        self.port = int(self.listening.getsockname()[1])
        self._opening: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        while True:
            accepted, _ = await asyncio.get_running_loop().sock_accept(self.listening)
            opening = asyncio.create_task(Pair(self.route).accept(accepted))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)

    def begin(self, cut: Cut) -> None:
        self.route.cut = cut
        for pair in list(self.route.pairs):
            if cut.harm is Harm.RESET:
                pair.reset()
            elif cut.harm is Harm.HALF_CLOSE:
                pair.half_close(whole=cut.whole)

    def end(self) -> None:
        self.route.cut = None
        for pair in list(self.route.pairs):
            # an end that nobody was told of, and what cannot be gone on with
            if pair.broken or None in (pair.client.transport, pair.server.transport):
                pair.reset()


class Proxies:
    """A proxy per name, all of them in one thread."""

    def __init__(self, targets: Mapping[str, int]) -> None:
        self._links = {name: _Link(port) for name, port in targets.items()}
        self.ports = {name: link.port for name, link in self._links.items()}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ORDER_SECONDS)

    def begin(self, names: Collection[str], cut: Cut) -> None:
        """Hurt the connections through some proxies until `end`."""
        self._order(lambda link: link.begin(cut), names)

    def end(self, names: Collection[str]) -> None:
        self._order(_Link.end, names)

    def open_connections(self, name: str) -> int:
        return self._ask(self._count(name))

    def _order(self, do: Callable[[_Link], None], names: Collection[str]) -> None:
        async def ordered() -> None:
            for name in names:
                do(self._links[name])

        self._ask(ordered())

    async def _count(self, name: str) -> int:
        return len(self._links[name].route.pairs)

    def _ask(self, question: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(ORDER_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = [self._loop.create_task(link.serve()) for link in self._links.values()]
        self._loop.run_forever()
        for task in serving:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*serving, return_exceptions=True))
        for link in self._links.values():
            link.listening.close()
            for pair in list(link.route.pairs):
                pair.reset()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
