use std::fs;

use super::*;
use crate::tls::tests::{Folder, openssl};

#[test]
fn it_is_what_others_find_in_every_form_of_key() {
    let folder = Folder::new();
    for (name, line) in [
        ("rsa", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        ("rsa1", "rsa -in rsa -traditional"),
        ("p256", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "ecparam -name secp384r1 -genkey -noout"),
        ("ed25519", "genpkey -algorithm ED25519"),
    ] {
        openssl(folder.path(), &format!("{line} -out {name}"));
        openssl(folder.path(), &format!("pkey -in {name} -pubout -outform der -out {name}.der"));
        let expect = fs::read(folder.path().join(format!("{name}.der"))).unwrap();
        assert_eq!(public_key(&folder.path().join(name)), Ok(expect), "{name}");
    }
}

#[test]
fn what_holds_no_private_key_is_named() {
    let folder = Folder::new();
    openssl(folder.path(), "genpkey -algorithm ED25519 -out key");
    openssl(folder.path(), "pkey -in key -pubout -out public");
    for name in ["public", "nothing"] {
        folder.write("nothing", "");
        let path = folder.path().join(name);
        assert_eq!(public_key(&path), Err(Problem::NoKey.of(&path)), "{name}");
    }
    let path = folder.path().join("missing");
    let problem = Problem::Unreadable(std::io::ErrorKind::NotFound);
    assert_eq!(public_key(&path), Err(problem.of(&path)));
}
