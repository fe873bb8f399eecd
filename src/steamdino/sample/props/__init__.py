"""Things that stand in the pictures of the fictional store: people, animals, beasts, cars and craft."""
