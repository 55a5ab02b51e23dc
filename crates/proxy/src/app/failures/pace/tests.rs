use super::*;

fn at(milliseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
}

fn domain(name: &str) -> Domain {
    name.parse().unwrap()
}

#[test]
fn names_below_one_parent_get_a_line_a_second() {
    let mut pace = Pace::default();
    let mut admits =
        |name: &str, milliseconds| pace.admits("connect", &domain(name), at(milliseconds));
    assert!(admits("x1.mallory.example", 0));
    assert!(!admits("x2.mallory.example", 0));
    assert!(!admits("mallory.example", 999));
    assert!(admits("capulet.example", 999));
    // What was kept back is not counted.
    assert!(admits("x3.mallory.example", 1000));
    assert!(!admits("x4.mallory.example", 1999));
}

#[test]
fn there_are_five_lines_in_any_second_for_each_reason() {
    let mut pace = Pace::default();
    let mut told = 0;
    for milliseconds in 0..5000 {
        let name = format!("x{milliseconds}.example");
        for reason in ["connect", "timeout"] {
            told += u32::from(pace.admits(reason, &domain(&name), at(milliseconds)));
            assert!(pace.told[reason].len() <= Pace::LINES_MAX);
        }
    }
    assert_eq!(told, 50);
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_back() {
    let mut pace = Pace::default();
    assert!(pace.admits("connect", &domain("capulet.example"), at(60_000)));
    assert!(pace.admits("connect", &domain("capulet.example"), at(1)));
    assert!(!pace.admits("connect", &domain("capulet.example"), at(2)));
}
