import unittest

from branches import BranchExists, Branches, MemoryStore


class BranchesTest(unittest.TestCase):
    def test_a_branch_is_created(self):
        store = MemoryStore()
        self.assertEqual(Branches(store).create("main"), "main")
        self.assertEqual(store.names(), ["main"])

    def test_a_name_is_taken_once(self):
        branches = Branches(MemoryStore())
        branches.create("main")
        with self.assertRaises(BranchExists):
            branches.create("main")


if __name__ == "__main__":
    unittest.main()
