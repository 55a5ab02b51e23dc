use super::*;

fn rules() -> Rules {
    Rules { uid: 7269, peers: vec![5269, 5270], federation: 7269, backend: 7270, dns: 7253 }
}

#[test]
fn one_transaction_replaces_all_rules_of_both_families() {
    let expect = r#"add table inet ligase
delete table inet ligase
table inet ligase {
	chain output {
		type nat hook output priority -101; policy accept;
		meta skuid 7269 return
		udp dport 53 redirect to :7253
		tcp dport 53 redirect to :7253
		oifname "lo" return
		tcp dport 5269 redirect to :7270
		tcp dport 5270 redirect to :7270
	}
	chain prerouting {
		type nat hook prerouting priority -101; policy accept;
		iifname "lo" return
		tcp dport 5269 redirect to :7269
		tcp dport 5270 redirect to :7269
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
-A LIGASE_PREROUTING -i lo -j RETURN
-A LIGASE_PREROUTING -p tcp -m tcp --dport 5269 -j REDIRECT --to-ports 7269
-A LIGASE_PREROUTING -p tcp -m tcp --dport 5270 -j REDIRECT --to-ports 7269
COMMIT
";
    assert_eq!(rules().iptables(), expect);
}
