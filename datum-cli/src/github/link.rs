//! The `Link` header, by which GitHub's lists say where they go on (RFC 8288).

/// The address that a `Link` header gives for the next page.
pub(super) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (address, after) = rest.split_once('<')?.1.split_once('>')?;
        // The parameters of this link end where the address of the next one begins.
        let (parameters, more) = after.split_at(after.find('<').unwrap_or(after.len()));
        let mut parts = parameters.split([';', ',']).filter_map(|part| part.trim().split_once('='));
        let is_next = parts.any(|(name, value)| {
            let mut kinds = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && kinds.any(|kind| kind.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(address);
        }
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_next_page_is_found_wherever_it_stands() {
        let check = |header: &str, want: Option<&str>| assert_eq!(next(header), want, "{header}");
        check(
            r#"<https://x/a?page=2>; rel="next", <https://x/a?page=5>; rel="last""#,
            Some("https://x/a?page=2"),
        );
        check(
            r#"<https://x/a?p=1,2>; rel="prev", <https://x/b>; title="y"; rel="last next""#,
            Some("https://x/b"),
        );
        check("<https://x/c>;rel=next", Some("https://x/c"));
        check(r#"<https://x/a?page=4>; rel="prev", <https://x/a?page=1>; rel="first""#, None);
        for none in ["", "<", "<x", "x; rel=next", r#"<x>; rel="nextish""#] {
            check(none, None);
        }
    }
}
