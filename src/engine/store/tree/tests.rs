//! Tests of trees of stems.
