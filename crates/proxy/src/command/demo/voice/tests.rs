use super::*;

#[test]
fn one_check_that_fails_makes_the_whole_account_false() {
    let mut voice = Voice::new(false);
    assert!(!voice.holds(), "nothing was checked yet");
    voice.check("the first holds", true);
    voice.beware("the second does", true);
    assert_eq!(voice.close(0.0), Exit::Done);
    voice.beware("the third does not", false);
    voice.check("the fourth does again", true);
    assert_eq!(voice.close(0.0), Exit::Failed);
}

#[test]
fn nothing_that_crossed_a_wire_moves_the_cursor() {
    assert_eq!(plain("<body>\x1b[2J\r\n</body>"), "<body>·[2J··</body>");
    assert_eq!(hex(&[0x17, 3, 3]), "17 03 03");
}
