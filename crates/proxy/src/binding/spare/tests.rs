use super::*;

#[test]
fn a_crowd_that_has_left_leaves_no_room_behind() {
    let mut table: HashMap<u32, [u8; 64]> = (0..10_000).map(|it| (it, [0; 64])).collect();
    let mut moved = 0;
    for number in 1..10_000 {
        table.remove(&number);
        let before = table.capacity();
        give_back(&mut table);
        if table.capacity() < before {
            moved += table.len();
        }
        assert!(table.capacity() <= 4 * KEPT.max(2 * table.len()), "{number} are gone");
    }
    assert!(table.contains_key(&0));
    assert!(moved < 10_000, "{moved} were moved");
}

#[test]
fn a_small_table_stays_as_it_is() {
    let mut table: HashMap<u32, u32> = HashMap::with_capacity(KEPT / 2);
    let before = table.capacity();
    give_back(&mut table);
    assert_eq!(table.capacity(), before);
}

/// However many leave at once, and never so much that the next few who come cost a move again.
#[test]
fn room_is_given_back_by_half() {
    for (room, left, is_moved) in [(2000, 10, true), (2000, 1000, false), (448, 112, false)] {
        let mut table: HashMap<u32, u32> = HashMap::with_capacity(room);
        table.extend((0..left).map(|it| (it, it)));
        let before = table.capacity();
        give_back(&mut table);
        assert_eq!(table.capacity() < before, is_moved, "{left} of {room}");
        assert!(before / 2 <= table.capacity(), "{left} of {room}");
    }
}
