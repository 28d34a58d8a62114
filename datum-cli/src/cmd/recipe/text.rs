//! What a recipe's file says.

/// What a recipe's file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) description: String,
    pub(super) commands: Vec<String>,
    pub(super) prerequisites: Vec<String>,
    /// The lines on which blocks begin that stand among the commands and are not marked as any.
    pub(super) unmarked: Vec<usize>,
}

/// A block that is being read.
struct Block<'t> {
    fence: &'t str,
    is_command: bool,
    lines: Vec<&'t str>,
}

/// The fence that a line begins with: three or more of one character.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| *mark == '`' || *mark == '~')?;
    let length = line.chars().take_while(|c| *c == mark).count();
    (length >= 3).then(|| line.split_at(length))
}

/// Parses a recipe: the first paragraph, the code blocks under `Commands` that are marked as shell, the list under
/// `Prerequisites`.
pub(super) fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut section = "";
    let mut block: Option<Block<'_>> = None;
    for (at, line) in text.lines().enumerate() {
        let is_commands = section.eq_ignore_ascii_case("commands");
        if let Some(open) = &mut block {
            let ends =
                fence(line).is_some_and(|(mark, rest)| mark.starts_with(open.fence) && rest.is_empty());
            if !ends {
                open.lines.push(line);
                continue;
            }
            if open.is_command {
                parsed.commands.push(open.lines.join("\n"));
            }
            block = None;
        } else if let Some((fence, language)) = fence(line) {
            // A block of another language is an example, and one elsewhere is prose.
            let language = language.split_whitespace().next().unwrap_or_default();
            let is_shell = ["sh", "bash", "shell"].contains(&language);
            if is_commands && !is_shell {
                parsed.unmarked.push(at + 1);
            }
            block = Some(Block { fence, is_command: is_shell && is_commands, lines: Vec::new() });
        } else if let Some(heading) = line.strip_prefix("## ") {
            section = heading.trim();
        } else if section.is_empty() && !line.starts_with('#') && !line.trim().is_empty() {
            let space = if parsed.description.is_empty() { "" } else { " " };
            parsed.description.push_str(space);
            parsed.description.push_str(line.trim());
        } else if section.eq_ignore_ascii_case("prerequisites")
            && let Some(item) = line.trim_start().strip_prefix("- ")
        {
            parsed.prerequisites.push(item.trim().to_owned());
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_its_shell_blocks_under_commands() {
        let text = "# tidy\n\nTidy\nup.\n\n```sh\nnot this\n```\n\n## Commands\n\n```sh\na\n## b\n```\n```bash\nc\n```\n\
            ```python\nno\n```\n~~~sh\nd\n```\n~~~\n```\nnor this\n```\n## Prerequisites\n\n- git\n";
        let parsed = parse(text);
        assert_eq!(parsed.description, "Tidy up.");
        assert_eq!(parsed.commands, ["a\n## b", "c", "d\n```"]);
        assert_eq!(parsed.prerequisites, ["git"]);
        assert_eq!(parsed.unmarked, [19, 26]);
    }
}
