//! Host: a machine of the world, which is a network namespace with files of its own in `/etc`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Authority, OrFail};

/// A machine of the world. Copies mean the same machine.
#[derive(Clone, Debug)]
pub struct Host {
    /// What the namespace is called on this machine, unlike any other's.
    pub(crate) namespace: String,
    /// Its files.
    pub(crate) root: PathBuf,
    /// Its address in the world.
    pub v4: Ipv4Addr,
    /// Its other address in the world.
    pub v6: Ipv6Addr,
}

impl Host {
    /// A folder of this host's own, made if need be, which any user may enter.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.root.join(name);
        fs::create_dir_all(&folder).or_fail("make a folder for a host");
        folder
    }

    /// What is bound over `/etc/NAME` for every program that runs on this host.
    pub fn etc(&self, name: &str) -> PathBuf {
        etc(&self.namespace).join(name)
    }

    /// Asks these name servers from now on. (A program may have read the old list already.)
    pub fn resolve_by(&self, servers: &[IpAddr]) {
        let lines: Vec<_> = servers.iter().map(|it| format!("nameserver {it}\n")).collect();
        fs::write(self.etc("resolv.conf"), lines.concat()).or_fail("write resolv.conf");
    }

    /// Trusts these authorities and no others, in every form that a Debian program may read: the
    /// bundle, and the folder with a file and a hashed link for each.
    pub fn trust(&self, authorities: &[&Authority]) {
        let files: Vec<_> = authorities.iter().map(|it| it.pem().to_owned()).collect();
        self.trust_pem(&files);
    }

    /// Trusts the authorities in these PEM texts and no others.
    pub fn trust_pem(&self, authorities: &[String]) {
        let certificates = self.etc("ssl").join("certs");
        // A program that has the folder mounted keeps it, so the folder stays and its files go.
        fs::create_dir_all(&certificates).or_fail("make a trust store");
        for old in fs::read_dir(&certificates).or_fail("read a trust store").flatten() {
            fs::remove_file(old.path()).or_fail("empty a trust store");
        }
        for (number, pem) in authorities.iter().enumerate() {
            let file = certificates.join(format!("authority{number}.pem"));
            fs::write(file, pem).or_fail("write a trust store");
        }
        run(Command::new("openssl").arg("rehash").arg(&certificates));
        let bundle = certificates.join("ca-certificates.crt");
        fs::write(bundle, authorities.concat()).or_fail("write a trust store");
    }

    /// Its network, which a container may be put into.
    pub fn network(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.namespace)
    }

    /// A command that runs on this host, as root.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, program]);
        command
    }

    /// A command that runs on this host as `user`, and sees each folder `ours` in the place of
    /// `theirs`. It is the first of its processes, and all of them end with it.
    pub(crate) fn command_among(
        &self,
        binds: &[(PathBuf, &str)],
        user: &str,
        program: &str,
    ) -> Command {
        let mut command = self.command("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", BIND, "sh"]);
        for (ours, theirs) in binds {
            command.arg(ours).arg(theirs);
        }
        command.args(["--", "setpriv", "--init-groups", "--reuid", user, "--regid", user]);
        // Who becomes another user would outlive what started it.
        command.args(["--pdeathsig", "KILL"]);
        command.args(["env", &format!("HOME=/var/lib/{user}"), program]);
        command
    }

    /// Runs a command on this host to its end, and returns what it said.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        run(self.command(program).args(arguments))
    }

    /// How many bytes of memory the processes of this name hold on this host.
    #[track_caller]
    pub fn resident(&self, name: &str) -> u64 {
        let pids = run(Command::new("ip").args(["netns", "pids", &self.namespace]));
        let of = |pid: &str| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let value = |key: &str| {
                let line = status.lines().find_map(|it| it.strip_prefix(key));
                line.map(|it| it.trim().to_owned())
            };
            let kibibytes = value("VmRSS:")?.split(' ').next()?.parse::<u64>().ok()?;
            (value("Name:")? == name).then_some(kibibytes * 1024)
        };
        pids.lines().filter_map(of).sum()
    }

    /// Asks this host's own resolver, and returns an answer a line, as `dig +short` prints it.
    pub fn dig(&self, name: &str, kind: &str) -> Vec<String> {
        let answer = self.run("dig", &["+short", "+tries=2", "+time=3", name, kind]);
        answer.lines().map(str::to_owned).collect()
    }
}

/// Binds folders over others, two by two until `--`, and becomes the rest of its arguments.
const BIND: &str =
    "while [ \"$1\" != -- ]; do mount --bind \"$1\" \"$2\"; shift 2; done; shift; exec \"$@\"";

/// Where `ip netns exec` looks for what to bind over `/etc`.
pub(crate) fn etc(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

/// Gives a file or folder, and all in it, to `user`.
pub(crate) fn give(path: &Path, user: &str) {
    run(Command::new("chown").arg("-R").arg(format!("{user}:{user}")).arg(path));
}

/// Runs a command to its end, and returns what it said. It must succeed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let done = command.output().or_fail(&format!("start {command:?}"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {} {said}{complaint}", done.status);
    said
}
