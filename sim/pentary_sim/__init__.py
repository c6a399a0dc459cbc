<<<<<<< HEAD
"""Cycle-level model of the pentary processor: says WHEN. `simulator` is the machine, `training` trains on it."""
=======
"""Cycle-level model of the pentary processor: `simulator` is the machine, `engine` trains networks on it."""
>>>>>>> w-d3
