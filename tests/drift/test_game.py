"""Meteorite Drift Bottle: what players can count on."""

from __future__ import annotations

from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net import IPlayer, IRoom, ISyncHandler, Refused
from meteor_net.drift import Drift
from meteor_net.drift.world import Answer, Read, Splash, Steer, Throw, Toss

from .play import FakePlayer, FakeRoom


class WorldTests(SynchronousTestCase):
    """What drifts."""

    def test_keeps_the_interfaces(self) -> None:
        """The game is a sync handler, and the tests' room and players are what a handler is given."""
        room = FakeRoom()
        self.assertTrue(verifyObject(ISyncHandler, room.game))
        self.assertTrue(verifyObject(IRoom, room))
        self.assertTrue(verifyObject(IPlayer, room.join("ann")))

    def test_one_seed_one_world(self) -> None:
        """A seeded run repeats itself exactly; another seed is another world."""
        runs = []
        for seed in (3, 3, 4):
            room = FakeRoom(seed)
            room.join("ann").helm = Steer(turn=0.5, thrust=True)
            room.run(10)
            runs.append(np.concatenate([room.world.meteor.x, room.world.craft.x, room.world.bottle.x]).tolist())
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], runs[2])

    def test_meteorites_go_on_for_ever(self) -> None:
        """After minutes with craft among them all 200 still drift at their pace, within the world."""
        room = FakeRoom()
        for number in range(8):
            room.join(f"p{number}").helm = Steer(turn=0.1 * number, thrust=True)
        room.run(120)
        m = room.world.meteor
        self.assertEqual(len(m), 200)
        self.assertTrue(((m.x >= 0) & (m.x < 2048) & (m.y >= 0) & (m.y < 2048)).all())
        self.assertTrue(20 < np.hypot(m.vx, m.vy).mean() < 60)
        self.assertLess(np.hypot(m.vx, m.vy).max(), 400)

    def test_the_sea_brings_bottles(self) -> None:
        """One who plays alone finds some too, and there are never many of them."""
        room = FakeRoom()
        room.run(60)
        self.assertEqual(len(room.world.bottle), 6)
        self.assertLess(np.hypot(room.world.bottle.vx, room.world.bottle.vy).max(), 15)


class CraftTests(SynchronousTestCase):
    """Flying."""

    def setUp(self) -> None:
        self.room = FakeRoom()
        self.room.calm()

    def test_a_craft_flies_where_it_points(self) -> None:
        """Thrust pushes along the heading, friction bounds the speed, and it ends when the helm lets go."""
        ann = self.room.join("ann")
        ann.row.heading = 0.0
        y = ann.row.y
        ann.helm = Steer(thrust=True)
        self.room.run(10)
        self.assertAlmostEqual(ann.row.y, y)
        self.assertTrue(200 < ann.row.vx < 260, ann.row.vx)
        ann.helm = Steer()
        self.room.run(10)
        self.assertLess(ann.row.vx, 1)

    def test_a_craft_turns(self) -> None:
        """Until the helm says something else."""
        ann = self.room.join("ann")
        ann.row.heading = 0.0
        ann.helm = Steer(turn=0.5)
        self.room.run(1)
        self.assertAlmostEqual(ann.row.heading, 1.8, places=1)

    def test_a_meteorite_pushes_a_craft(self) -> None:
        """It is bumped, never lost; and the light one moves more."""
        ann = self.room.join("ann")
        meteor = self.room.world.meteor.spawn(x=ann.row.x - 60, y=ann.row.y, radius=30, vx=100.0)
        self.room.run(1)
        self.assertGreater(ann.row.vx, 20)
        self.assertTrue(ann.row.alive)
        self.assertGreater(meteor.vx, 50)

    def test_one_who_is_away_drifts(self) -> None:
        """The craft of a lost connection shows it; coming back, it is as it was."""
        ann = self.room.join("ann")
        self.room.game.away(ann)
        self.assertTrue(ann.row.away)
        self.room.game.back(ann)
        self.assertFalse(ann.row.away)

    def test_coming_and_going_is_told(self) -> None:
        """And the craft goes with its player; one who watches has none."""
        ann, bob = self.room.join("ann"), self.room.join("bob", "watch")
        self.room.game.away(bob)
        self.room.game.back(bob)
        self.assertEqual([row.name for row in self.room.world.craft], ["ann"])
        self.room.leave(bob)
        self.room.leave(ann)
        self.assertEqual(len(self.room.world.craft), 0)
        self.assertEqual(self.room.notices, ["ann flies in", "bob watches", "bob is gone", "ann is gone"])

    def test_craft_begin_clear_of_meteorites(self) -> None:
        """Even where it is crowded, a newcomer has some room."""
        room = FakeRoom()
        m = room.world.meteor
        for number in range(20):
            row = room.join(f"p{number}").row
            self.assertGreater((np.hypot(m.x - row.x, m.y - row.y) - m.radius).min(), 12)


class BottleTests(SynchronousTestCase):
    """Bottles, from hand to hand."""

    def setUp(self) -> None:
        self.room = FakeRoom()
        self.room.calm()
        self.ann, self.bob = self.room.join("ann"), self.room.join("bob")

    def act(self, player: FakePlayer, action: Any) -> Any:
        return self.room.game.action(player, action)

    def drift_to(self, player: FakePlayer) -> None:
        """Let the only bottle drift against a craft."""
        [bottle] = self.room.world.bottle
        bottle.x, bottle.y = player.row.x, player.row.y
        self.room.game._fish(self.room.world.craft, self.room.world.bottle)

    def test_thrown_found_and_read(self) -> None:
        """The text is told to the finder alone, when asked for."""
        self.act(self.ann, Throw(text="  hello <b>you</b> "))
        self.drift_to(self.bob)
        self.assertEqual(len(self.room.world.bottle), 0)
        self.assertEqual([row.holding for row in self.room.world.craft], [False, True])
        self.assertEqual(self.act(self.bob, Read()), {"text": "hello <b>you</b>", "name": "ann"})
        self.assertEqual([type(event) for event in self.room.events], [Splash, Splash])
        self.assertEqual(self.bob.told + self.ann.told, [])

    def test_the_text_is_not_in_the_world(self) -> None:
        """No field that is sent could hold it."""
        schema = self.room.world.schema.describe()
        fields = [field for table in schema["tables"] for field in table["fields"]]
        self.assertEqual([field["name"] for field in fields if field["kind"] == "text"], ["name"])

    def test_a_thrower_does_not_find_its_own(self) -> None:
        """Nor one that it threw back; another one may. It is told which bottle that is."""
        place = self.act(self.ann, Throw(text="mine"))
        [bottle] = self.room.world.bottle
        self.assertEqual(place, {"slot": bottle.slot, "generation": bottle.generation})
        self.drift_to(self.ann)
        self.assertFalse(self.ann.row.holding)
        self.drift_to(self.bob)
        self.act(self.bob, Toss())
        self.drift_to(self.bob)
        self.assertFalse(self.bob.row.holding)
        self.drift_to(self.ann)
        self.assertEqual(self.act(self.ann, Read())["text"], "mine")

    def test_a_full_hand_takes_no_second_bottle(self) -> None:
        """One at a time."""
        self.act(self.ann, Throw(text="one"))
        self.drift_to(self.bob)
        self.act(self.ann, Throw(text="two"))
        self.drift_to(self.bob)
        self.assertEqual(len(self.room.world.bottle), 1)
        self.assertEqual(self.act(self.bob, Read())["text"], "one")

    def test_two_craft_at_one_bottle(self) -> None:
        """It goes to one of them."""
        eve = self.room.join("eve")
        eve.row.x, eve.row.y = self.bob.row.x, self.bob.row.y
        self.act(self.ann, Throw(text="for one"))
        self.drift_to(self.bob)
        self.assertEqual([row.holding for row in self.room.world.craft], [False, True, False])

    def test_two_bottles_at_one_craft(self) -> None:
        """It takes one of them."""
        self.act(self.ann, Throw(text="one"))
        self.act(self.ann, Throw(text="two"))
        for bottle in self.room.world.bottle:
            bottle.x, bottle.y = self.bob.row.x, self.bob.row.y
        self.room.game._fish(self.room.world.craft, self.room.world.bottle)
        self.assertEqual(len(self.room.world.bottle), 1)

    def test_an_answer_goes_to_the_writer(self) -> None:
        """As a notice that nobody else gets; the bottle is done."""
        self.act(self.ann, Throw(text="who?"))
        self.drift_to(self.bob)
        self.assertEqual(self.act(self.bob, Answer(text="me")), {})
        self.assertEqual(self.ann.told, ["bob found your bottle and answers: me"])
        self.assertFalse(self.bob.row.holding)
        self.assertEqual(len(self.room.world.bottle), 0)
        self.assertRaises(Refused, self.act, self.bob, Answer(text="again"))

    def test_an_answer_to_one_who_is_gone_drifts_on(self) -> None:
        """It becomes a bottle itself."""
        self.act(self.ann, Throw(text="who?"))
        self.drift_to(self.bob)
        self.room.leave(self.ann)
        self.assertEqual(self.act(self.bob, Answer(text="me")), {"slot": 0, "generation": 1})
        self.assertEqual([bottle.text for bottle in self.room.world.bottle], ["me"])

    def test_one_who_leaves_drops_its_bottle(self) -> None:
        """What was found is not lost with its finder."""
        self.act(self.ann, Throw(text="who?"))
        self.drift_to(self.bob)
        self.room.leave(self.bob)
        self.assertEqual([bottle.text for bottle in self.room.world.bottle], ["who?"])

    def test_empty_hands(self) -> None:
        """Nothing to read, to answer or to throw back."""
        for action in (Read(), Answer(text="x"), Toss()):
            self.assertRaises(Refused, self.act, self.ann, action)

    def test_bad_texts(self) -> None:
        """Empty ones and control characters are refused, and the bottle in hand stays."""
        self.act(self.ann, Throw(text="who?"))
        self.drift_to(self.bob)
        for text in ("", "   ", "a\x07b"):
            self.assertRaises(Refused, self.act, self.bob, Throw(text=text))
            self.assertRaises(Refused, self.act, self.bob, Answer(text=text))
        self.assertRaises(ValueError, Throw, text="x" * 141)
        self.assertEqual(self.act(self.bob, Read())["text"], "who?")

    def test_three_bottles_each(self) -> None:
        """The fourth is refused until one is found."""
        for number in range(3):
            self.act(self.ann, Throw(text=f"{number}"))
        self.assertRaises(Refused, self.act, self.ann, Throw(text="3"))
        next(iter(self.room.world.bottle)).despawn()
        self.act(self.ann, Throw(text="3"))

    def test_the_oldest_bottle_sinks(self) -> None:
        """There are at most 64, however many throw."""
        crew = [self.room.join(f"p{number}") for number in range(30)]
        for player in crew:
            for number in range(3):
                self.act(player, Throw(text=f"{player.name}/{number}"))
                self.room.world.bottle.age += 1
        self.assertEqual(len(self.room.world.bottle), 64)
        texts = {bottle.text for bottle in self.room.world.bottle}
        self.assertNotIn("p0/0", texts)
        self.assertIn("p29/2", texts)


class DeclarationTests(SynchronousTestCase):
    """What the page and the bots rely on."""

    def test_the_actions(self) -> None:
        """Their names and order are what clients know."""
        self.assertEqual([action.__name__ for action in Drift.actions], ["Steer", "Throw", "Read", "Answer", "Toss"])
