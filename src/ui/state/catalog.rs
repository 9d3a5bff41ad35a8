//! Songs or jobs by number, with constant-time lookup and iteration from the newest on.
//!
//! Designed for thousands of items: nothing that runs in every frame iterates over all of them.
//! Main thread.

use std::collections::{HashMap, VecDeque};

use crate::engine::{Job, Song};

/// An item with a number in the library.
pub trait Numbered {
    /// The number; newer ones are larger.
    fn number(&self) -> i64;
}

impl Numbered for Song {
    fn number(&self) -> i64 {
        self.id.0
    }
}

impl Numbered for Job {
    fn number(&self) -> i64 {
        self.id.0
    }
}

/// Items indexed by their numbers.
#[derive(Debug)]
pub struct Catalog<T> {
    /// Newest first.
    items: VecDeque<T>,
    /// Positions counted from the oldest item, so that adding an item moves no other.
    places: HashMap<i64, usize>,
}

impl<T> Default for Catalog<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), places: HashMap::new() }
    }
}

impl<T: Numbered> Catalog<T> {
    /// Creates a catalog of these items.
    pub fn of_newest_first(items: Vec<T>) -> Self {
        let mut catalog = Self { items: items.into(), places: HashMap::new() };
        catalog.index();
        catalog
    }

    /// Every item, newest first.
    pub fn newest_first(&self) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        self.items.iter()
    }

    /// The item with a number.
    pub fn get(&self, number: i64) -> Option<&T> {
        self.items.get(self.place(number)?)
    }

    /// Mutable [`Self::get`].
    pub fn get_mut(&mut self, number: i64) -> Option<&mut T> {
        let place = self.place(number)?;
        self.items.get_mut(place)
    }

    /// Replaces the item with the same number, or adds the item as the newest.
    pub fn put(&mut self, item: T) {
        if let Some(known) = self.get_mut(item.number()) {
            *known = item;
        } else {
            self.places.insert(item.number(), self.items.len());
            self.items.push_front(item);
        }
    }

    /// Keeps only the items for which `is_kept` returns true.
    pub fn retain(&mut self, is_kept: impl FnMut(&T) -> bool) {
        let count = self.items.len();
        self.items.retain(is_kept);
        if self.items.len() != count {
            self.index();
        }
    }

    fn place(&self, number: i64) -> Option<usize> {
        self.items.len().checked_sub(1 + self.places.get(&number)?)
    }

    fn index(&mut self) {
        let oldest_first = self.items.iter().rev().enumerate();
        self.places = oldest_first.map(|(place, item)| (item.number(), place)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Item(i64, &'static str);

    impl Numbered for Item {
        fn number(&self) -> i64 {
            self.0
        }
    }

    #[test]
    fn items_are_found_wherever_they_are() {
        let mut catalog = Catalog::of_newest_first(vec![Item(7, "c"), Item(4, "b"), Item(2, "a")]);
        catalog.put(Item(9, "d"));
        catalog.put(Item(4, "B"));
        let order: Vec<i64> = catalog.newest_first().map(|item| item.0).collect();
        assert_eq!(order, [9, 7, 4, 2]);
        catalog.retain(|item| item.0 != 7);
        catalog.put(Item(11, "e"));
        for item in [Item(11, "e"), Item(9, "d"), Item(4, "B"), Item(2, "a")] {
            assert_eq!(catalog.get(item.0), Some(&item));
        }
        assert_eq!((catalog.get(7), catalog.get(3)), (None, None));
        catalog.get_mut(2).unwrap().1 = "A";
        assert_eq!(catalog.newest_first().next_back(), Some(&Item(2, "A")));
    }
}
