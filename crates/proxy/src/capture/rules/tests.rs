use super::*;

fn rules() -> Rules {
    Rules {
        uid: 7269,
        resolver_uid: None,
        peers: vec![5269, 5270],
        federation: 7269,
        backend: 7270,
        dns: 7253,
    }
}

#[test]
fn one_transaction_replaces_all_rules_of_both_families() {
    let expect = r#"add table inet ligase
delete table inet ligase
table inet ligase {
	chain output {
		type nat hook output priority -101; policy accept;
		meta skuid 7269 counter return
		udp dport 53 counter redirect to :7253
		tcp dport 53 counter redirect to :7253
		oifname "lo" counter return
		tcp dport 5269 counter redirect to :7270
		tcp dport 5270 counter redirect to :7270
		meta l4proto 6 counter
	}

	chain prerouting {
		type nat hook prerouting priority -101; policy accept;
		fib daddr type != local counter return
		iifname "lo" counter return
		tcp dport 5269 counter redirect to :7269
		tcp dport 5270 counter redirect to :7269
	}
}
"#;
    assert_eq!(rules().nft(), expect);
}

#[test]
fn where_there_is_only_iptables_the_rules_are_the_same() {
    let expect = "*nat
:LIGASE_OUTPUT - [0:0]
:LIGASE_PREROUTING - [0:0]
-A LIGASE_OUTPUT -m owner --uid-owner 7269 -j RETURN
-A LIGASE_OUTPUT -p udp -m udp --dport 53 -j REDIRECT --to-ports 7253
-A LIGASE_OUTPUT -p tcp -m tcp --dport 53 -j REDIRECT --to-ports 7253
-A LIGASE_OUTPUT -o lo -j RETURN
-A LIGASE_OUTPUT -p tcp -m tcp --dport 5269 -j REDIRECT --to-ports 7270
-A LIGASE_OUTPUT -p tcp -m tcp --dport 5270 -j REDIRECT --to-ports 7270
-A LIGASE_OUTPUT -p tcp
-A LIGASE_PREROUTING -m addrtype ! --dst-type LOCAL -j RETURN
-A LIGASE_PREROUTING -i lo -j RETURN
-A LIGASE_PREROUTING -p tcp -m tcp --dport 5269 -j REDIRECT --to-ports 7269
-A LIGASE_PREROUTING -p tcp -m tcp --dport 5270 -j REDIRECT --to-ports 7269
-I OUTPUT 1 -j LIGASE_OUTPUT
-I PREROUTING 1 -j LIGASE_PREROUTING
COMMIT
";
    assert_eq!(rules().iptables(&[]), expect);
}

#[test]
fn what_leads_to_our_chains_already_is_led_anew_before_all_others() {
    let text = rules().iptables(&[&CHAINS[1]]);
    let leads: Vec<_> = text.lines().filter(|line| line.contains(" -j LIGASE")).collect();
    let expect = [
        "-I OUTPUT 1 -j LIGASE_OUTPUT",
        "-D PREROUTING -j LIGASE_PREROUTING",
        "-I PREROUTING 1 -j LIGASE_PREROUTING",
    ];
    assert_eq!(leads, expect);
}

#[test]
fn a_resolver_on_this_machine_is_spared_as_we_are() {
    let rules = Rules { resolver_uid: Some(101), ..rules() };
    let spared = "meta skuid 7269 counter return\n\t\tmeta skuid 101 counter return\n\t\tudp";
    assert!(rules.nft().contains(spared), "{}", rules.nft());
    let caught = rules.caught();
    assert_eq!(caught[..2], [Caught::Spared(7269), Caught::Spared(101)]);
    assert_eq!(caught.len(), rules.iptables_rules().len());
    let counters = rules.nft().matches(" counter").count();
    assert_eq!(caught.len(), counters, "each of them counts");
}
