"""Users of XMPP servers, driven line by line.

Every line on standard input is one JSON object: {"id": N, "do": NAME, ...}. Each is answered, as
soon as it is done, by {"id": N, "ok": VALUE} or {"id": N, "error": TEXT}. A user keeps what reaches
him until somebody asks for it.
"""

import asyncio
import json
import ssl
import sys
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout, PresenceError

OWNER = "http://jabber.org/protocol/muc#owner"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def stranger_context():
    """TLS towards the user's own server, which is not what these tests are about."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class User(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password, ssl_context=stranger_context())
        for plugin in ("xep_0030", "xep_0045", "xep_0054", "xep_0199"):
            self.register_plugin(plugin)
        self.inbox = []
        self.grown = asyncio.Condition()
        self.session = self.loop.create_future()
        self.add_event_handler("session_start", self.on_session)
        for event in ("failed_all_auth", "connection_failed"):
            self.add_event_handler(event, lambda why: self.on_failure(why))
        handler = slixmpp.xmlstream.handler.Callback
        matcher = slixmpp.xmlstream.matcher.MatchXPath
        for kind in ("message", "presence"):
            path = matcher("{jabber:client}%s" % kind)
            self.register_handler(handler("inbox " + kind, path, self.on_stanza))

    def on_session(self, _):
        if not self.session.done():
            self.session.set_result(None)

    def on_failure(self, why):
        if not self.session.done():
            self.session.set_exception(RuntimeError(f"{self.boundjid.bare}: {why}"))

    def on_stanza(self, stanza):
        found = {
            "kind": stanza.name,
            "type": stanza.xml.get("type", "normal" if stanza.name == "message" else "available"),
            "from": str(stanza["from"]),
            "to": str(stanza["to"]),
            "id": stanza["id"],
            "body": stanza.xml.findtext("{jabber:client}body"),
        }
        error = stanza.xml.find("{jabber:client}error")
        if error is not None:
            found["error"] = describe(error)
        asyncio.ensure_future(self.keep(found))

    async def keep(self, found):
        async with self.grown:
            self.inbox.append(found)
            self.grown.notify_all()

    def index(self, wanted):
        """The first stanza that has these fields; "from" need only begin as asked."""
        for number, stanza in enumerate(self.inbox):
            if all(matches(stanza, key, value) for key, value in wanted.items()):
                return number
        return None

    def remove(self, wanted):
        """Takes such a stanza if it is there."""
        number = self.index(wanted)
        return None if number is None else self.inbox.pop(number)

    async def take(self, wanted, within):
        """Takes such a stanza as soon as it is there."""
        async with self.grown:
            try:
                await asyncio.wait_for(
                    self.grown.wait_for(lambda: self.index(wanted) is not None), within
                )
            except asyncio.TimeoutError:
                raise RuntimeError(
                    f"{self.boundjid.bare} waited for {wanted}, but has only {self.inbox[-8:]}"
                ) from None
            return self.remove(wanted)


def matches(stanza, key, value):
    if key == "from":
        return stanza["from"] == value or stanza["from"].startswith(value + "/")
    return stanza.get(key) == value


def describe(error):
    """An error's condition and text, as one line."""
    condition = next(
        (it.tag.split("}")[1] for it in error if it.tag.startswith("{%s}" % STANZAS)
         and not it.tag.endswith("}text")),
        "nothing",
    )
    return f"{condition} {error.findtext('{%s}text' % STANZAS) or ''}".strip()


class Cast:
    """Everybody, by bare JID."""

    def __init__(self):
        self.users = {}

    async def login(self, jid, password, host, port):
        user = User(jid, password)
        user.enable_direct_tls = False
        user.connect(host, port)
        await asyncio.wait_for(user.session, 30)
        # Nobody is a stranger here: whoever asks may see, and is looked at in turn.
        user.auto_authorize = True
        user.auto_subscribe = True
        await user.get_roster()
        user.send_presence()
        self.users[jid] = user
        return str(user.boundjid)

    async def say(self, jid, to, body, kind="chat"):
        self.users[jid].send_message(mto=to, mbody=body, mtype=kind)

    async def convey(self, jid, to, body, within):
        """Says something to somebody of ours, and tells whether it is heard, in whatever session, or
        which error comes back instead, if anything does."""
        stanza = self.users[jid].make_message(mto=to, mbody=body, mtype="chat")
        stanza.send()
        heard = {"kind": "message", "type": "chat", "body": body}
        returned = {"kind": "message", "type": "error", "id": stanza["id"]}
        for _ in range(within * 20):
            if self.users[to].remove(heard):
                return {"heard": True}
            if error := self.users[jid].remove(returned):
                return {"returned": error["error"]}
            await asyncio.sleep(0.05)
        return {}

    async def raw(self, jid, text):
        self.users[jid].send_raw(text)

    async def presence(self, jid, to, kind=None):
        self.users[jid].send_presence(pto=to, ptype=kind)

    async def take(self, jid, wanted, within=20):
        return await self.users[jid].take(wanted, within)

    async def count(self, jid, wanted):
        inbox = self.users[jid].inbox
        return sum(all(matches(it, key, value) for key, value in wanted.items()) for it in inbox)

    async def take_pour(self, jid, sender, count, size, within):
        user = self.users[jid]

        def poured():
            return [
                stanza for stanza in user.inbox
                if matches(stanza, "from", sender) and (stanza["body"] or "").endswith("x" * 16)
            ]

        async with user.grown:
            try:
                await asyncio.wait_for(
                    user.grown.wait_for(lambda: len(poured()) >= count), within
                )
            except asyncio.TimeoutError:
                bodies = [stanza["body"][:8] for stanza in poured()]
                raise RuntimeError(f"only {len(bodies)} of {count}: {bodies}") from None
            taken = poured()
            bodies = [stanza["body"] for stanza in taken]
            wanted = [f"{number}{'x' * size}" for number in range(1, len(bodies) + 1)]
            user.inbox = [stanza for stanza in user.inbox if stanza not in taken]
        if bodies != wanted:
            raise RuntimeError(f"in disorder: {[(body[:6], len(body)) for body in bodies]}")

    async def ping(self, jid, to, within=20):
        iq = self.users[jid].make_iq_get(ito=to)
        iq.xml.append(ET.Element("{urn:xmpp:ping}ping"))
        await iq.send(timeout=within)

    async def disco(self, jid, to, within=20):
        info = await self.users[jid]["xep_0030"].get_info(jid=to, timeout=within)
        return sorted(
            f"{category}/{kind}" for category, kind, _, _ in info["disco_info"]["identities"]
        )

    async def publish_card(self, jid, name):
        user = self.users[jid]
        card = user["xep_0054"].make_vcard()
        card["FN"] = name
        try:
            await user["xep_0054"].publish_vcard(card)
        except IqError:
            # COMPAT(ejabberd 23.01): two first cards at a time may make the same node.
            await user["xep_0054"].publish_vcard(card)

    async def read_card(self, jid, of, within=20):
        answer = await self.users[jid]["xep_0054"].get_vcard(of, cached=False, timeout=within)
        return answer["vcard_temp"]["FN"]

    async def join(self, jid, room, nick, within=20):
        user = self.users[jid]
        rooms = user["xep_0045"]
        presence, *_ = await rooms.join_muc_wait(room, nick, maxstanzas=0, timeout=within)
        if presence["muc"]["affiliation"] == "owner":
            # A new room is locked until its owner has had a look (XEP-0045 §10.1.2).
            iq = user.make_iq_set(ito=room)
            query = ET.SubElement(iq.xml, "{%s}query" % OWNER)
            ET.SubElement(query, "{jabber:x:data}x", {"type": "submit"})
            await iq.send(timeout=within)

    async def logout(self, jid):
        await self.users.pop(jid).disconnect()


async def serve():
    cast = Cast()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        task = asyncio.ensure_future(answer(cast, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def answer(cast, request):
    number, name = request.pop("id"), request.pop("do")
    try:
        reply = {"id": number, "ok": await getattr(cast, name)(**request)}
    except (IqError, PresenceError) as error:
        text = f"{error.condition} {error.text}".strip()
        reply = {"id": number, "error": text}
    except IqTimeout:
        reply = {"id": number, "error": f"no answer to {name} {request}"}
    except Exception as error:
        reply = {"id": number, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), flush=True)


asyncio.run(serve())
