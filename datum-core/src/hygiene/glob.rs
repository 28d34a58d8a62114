//! Names by pattern: `*` for any characters, `?` for one, letter case aside.

/// Says whether `name` matches `pattern` as a whole.
///
/// # Examples
/// ```
/// use datum_core::hygiene::matches;
/// assert!(matches("README*", "readme.md"));
/// assert!(!matches("flux-?", "flux-core"));
/// ```
pub fn matches(pattern: &str, name: &str) -> bool {
    if pattern.is_ascii() && name.is_ascii() {
        return fits(pattern.as_bytes(), name.as_bytes(), b'*', b'?', u8::eq_ignore_ascii_case);
    }
    let fold = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    fits(&fold(pattern), &fold(name), '*', '?', char::eq)
}

fn fits<T: Copy + PartialEq>(
    pattern: &[T],
    name: &[T],
    any: T,
    one: T,
    same: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to go on when a later part does not fit: after the last `*`, with one more character eaten by it.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(c) if *c == any => {
                back = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == one || same(c, &name[n]) => {
                p += 1;
                n += 1;
            }
            _ => match back {
                Some((after, eaten)) => {
                    back = Some((after, eaten + 1));
                    p = after;
                    n = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, want) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*b*c", "aXbYbZc", true),
            ("*.md", "README.MD", true),
            ("a?c", "ac", false),
            ("a*", "b", false),
            ("?", "é", true),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_the_product() {
        assert!(!matches(&"a*".repeat(200), &"a".repeat(199).replace("aa", "ab")));
    }
}
