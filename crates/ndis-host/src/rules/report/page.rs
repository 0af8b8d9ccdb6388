//! Where Microsoft publishes a document, by the name of its file.

/// The address of a document's page. The names say which part of the documentation they are of.
pub(super) fn of(document: &str) -> String {
    let name = document.strip_suffix(".md").unwrap_or(document);
    let mut parts = name.split('-');
    let part = match (parts.next(), parts.next()) {
        // A page of the reference: nf-wdm-kereleasespinlock.
        (Some("nf" | "ns" | "nc" | "ne" | "ni"), Some(header)) => format!("ddi/{header}"),
        (Some("bug"), Some("check")) => "debugger".to_owned(),
        // The rules of Driver Verifier are called after their driver model.
        (Some("ndis"), Some(next)) if next != "object" => "devtest".to_owned(),
        (Some("wdm"), Some(_)) => "devtest".to_owned(),
        (Some(first), _) if first.starts_with("ndisfiltertimed") => "devtest".to_owned(),
        (Some("introduction"), _) => "kernel".to_owned(),
        _ => "network".to_owned(),
    };
    format!("{ROOT}/{part}/{name}")
}

const ROOT: &str = "https://learn.microsoft.com/windows-hardware/drivers";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_its_part_of_the_documentation() {
        for (document, page) in [
            (
                "nf-ndis-ndisopenadapterex.md",
                "ddi/ndis/nf-ndis-ndisopenadapterex",
            ),
            (
                "ndis-irql-synch-function.md",
                "devtest/ndis-irql-synch-function",
            ),
            ("wdm-irqldispatch.md", "devtest/wdm-irqldispatch"),
            (
                "bug-check-0xc2--bad-pool-caller.md",
                "debugger/bug-check-0xc2--bad-pool-caller",
            ),
            (
                "net-buffer-architecture.md",
                "network/net-buffer-architecture",
            ),
        ] {
            assert_eq!(of(document), format!("{ROOT}/{page}"));
        }
    }
}
