"""How much memory there is."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.machine import machine_memory


class MachineMemoryTests(SynchronousTestCase):
    """What the machine has, or our control group may take."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())

    def tree(self, groups: str, **limits: str) -> int:
        """The memory of a machine with these groups."""
        self.write("proc/self/cgroup", groups)
        for path, limit in limits.items():
            self.write(f"sys/fs/cgroup/{path}", limit)
        return machine_memory(self.root)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_own_group(self) -> None:
        """The limit of the group we are in counts, as systemd sets it for a service."""
        found = self.tree(
            "0::/system.slice/tempmail.service\n",
            **{
                "system.slice/memory.max": "max\n",
                "system.slice/tempmail.service/memory.max": "4000\n",
                "other.slice/memory.max": "1\n",
            },
        )
        self.assertEqual(found, 4000)

    def test_groups_above(self) -> None:
        """A group above that has less is the one that counts, up to the top of a container."""
        found = self.tree(
            "0::/a/b\n",
            **{"memory.max": "3000\n", "a/memory.max": "2000\n", "a/b/memory.max": "4000\n"},
        )
        self.assertEqual(found, 2000)
        self.assertEqual(self.tree("0::/\n"), 3000)

    def test_version_1(self) -> None:
        """Where control groups are of version 1 the one for memory counts."""
        found = self.tree(
            "5:cpu,cpuacct:/x\n4:memory:/docker/1234\n0::/\n",
            **{"memory/memory.limit_in_bytes": "5000\n", "cpu/x/memory.limit_in_bytes": "1\n"},
        )
        self.assertEqual(found, 5000)

    def test_no_groups(self) -> None:
        """Where nothing is said it is what the machine has."""
        bare = machine_memory(self.root)
        self.assertGreater(bare, 2**27)
        self.assertEqual(self.tree("0::/a\n", **{"a/memory.max": "max\n"}), bare)
