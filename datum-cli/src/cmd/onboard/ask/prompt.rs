//! How a question is asked on the terminal: what was answered, or `None` to go back.

use crate::cmd::onboard::plan::Hidden;
use crate::fault::Fault;
use inquire::list_option::ListOption;
use inquire::ui::{RenderConfig, Styled};
use inquire::validator::Validation;
use inquire::{InquireError, MultiSelect, Password, PasswordDisplayMode, Select, Text};

/// The fault of a user who stops.
pub(super) fn stopped() -> Fault {
    Fault::broken("stopped").hint("nothing was changed; datum onboard asks again")
}

/// How the questions look: a way back is called one.
fn look() -> RenderConfig<'static> {
    let look = RenderConfig::default();
    look.with_canceled_prompt_indicator(Styled::new("(back)"))
}

/// Esc is an answer too: back.
fn answer<T>(result: Result<T, InquireError>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(InquireError::OperationCanceled) => Ok(None),
        Err(InquireError::OperationInterrupted) => Err(stopped()),
        Err(error) => Err(Fault::broken(format!("cannot ask on the terminal: {error}"))
            .hint("--non-interactive takes the answers as options")),
    }
}

/// One of several; the arrow keys choose.
pub(super) fn choose(message: &str, options: &[&str], start: usize) -> Result<Option<usize>, Fault> {
    let start = start.min(options.len().saturating_sub(1));
    let select = Select::new(message, options.to_vec())
        .with_render_config(look())
        .with_starting_cursor(start)
        .with_help_message("↑↓ choose, Enter takes it, Esc goes back")
        .without_filtering();
    Ok(answer(select.raw_prompt())?.map(|chosen| chosen.index))
}

/// Any number of several; the space bar chooses.
pub(super) fn many(message: &str, options: &[String], chosen: &[usize]) -> Result<Option<Vec<usize>>, Fault> {
    let formatter = |chosen: &[ListOption<&String>]| {
        let names: Vec<&str> = chosen.iter().map(|option| option.value.as_str()).collect();
        if names.is_empty() { "nothing of these".to_owned() } else { names.join(", ") }
    };
    let select = MultiSelect::new(message, options.to_vec())
        .with_render_config(look())
        .with_default(chosen)
        .with_page_size(10)
        .with_formatter(&formatter)
        .with_help_message("↑↓ move, Space chooses, Enter takes them, Esc goes back")
        .without_filtering();
    Ok(answer(select.raw_prompt())?.map(|chosen| chosen.into_iter().map(|option| option.index).collect()))
}

/// A line of text; an empty one takes what is proposed.
pub(super) fn text(
    message: &str,
    proposed: &str,
    help: &str,
    check: impl Fn(&str) -> Result<(), String> + Clone + 'static,
) -> Result<Option<String>, Fault> {
    let validator = move |text: &str| {
        Ok(match check(text.trim()) {
            Ok(()) => Validation::Valid,
            Err(why) => Validation::Invalid(why.into()),
        })
    };
    let mut asked = Text::new(message).with_render_config(look()).with_validator(validator);
    if !proposed.is_empty() {
        asked = asked.with_default(proposed);
    }
    if !help.is_empty() {
        asked = asked.with_help_message(help);
    }
    Ok(answer(asked.prompt())?.map(|text| text.trim().to_owned()))
}

/// A text that is not shown; with `twice` it is to be typed again.
pub(super) fn hidden(
    message: &str,
    twice: bool,
    check: impl Fn(&str) -> Result<(), String> + Clone + 'static,
) -> Result<Option<Hidden>, Fault> {
    let validator = move |text: &str| {
        Ok(match check(text) {
            Ok(()) => Validation::Valid,
            Err(why) => Validation::Invalid(why.into()),
        })
    };
    let mut asked = Password::new(message)
        .with_render_config(look())
        .with_display_mode(PasswordDisplayMode::Masked)
        .with_validator(validator);
    if twice {
        asked = asked
            .with_custom_confirmation_message("Once more:")
            .with_custom_confirmation_error_message("they differ");
    } else {
        asked = asked.without_confirmation();
    }
    Ok(answer(asked.prompt())?.map(Hidden::from))
}
