use super::Label;

labels! {
    /// How soon a certificate of ours ends. Each holds the ones before it.
    Within {
        /// Tomorrow, or already.
        Day = "1d",
        /// In a week.
        Week = "7d",
        /// In thirty days.
        Month = "30d",
    }

    /// What we look at of what our own domains publish.
    SelfCheck {
        /// Where they are served.
        Srv = "srv",
        /// What their servers may present.
        Tlsa = "tlsa",
        /// What their web servers say of that.
        Posh = "posh",
    }
}

impl Within {
    /// In how many days.
    pub(crate) fn days(self) -> u64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }
}
