use super::*;

#[test]
fn the_fourth_user_of_a_process_owns_its_sockets() {
    let status = "Name:\tligase\nUid:\t1\t2\t3\t7269\nGid:\t5\t6\t7\t8\n";
    assert_eq!(of(status), Some(7269));
    assert_eq!(of("Name:\tligase\n"), None);
    assert_eq!(of("Uid:\t1\t2\t3\n"), None);
}

#[test]
fn the_system_says_who_we_are() {
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    let id = String::from_utf8(id.stdout).unwrap();
    assert_eq!(ours(), id.trim().parse().ok());
}
