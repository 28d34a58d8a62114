//! Topics: what the host takes for one, and how new ones join those that are there.

/// Longest topic, bytes.
pub const TOPIC_MAX: usize = 50;
/// Most topics a repository can have.
pub const TOPICS_MAX: usize = 20;

/// Why topics were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The text is no topic.
    #[error("{0:?} is no topic: a topic is 1 to 50 of a-z, 0-9 and '-', and begins with a letter or digit")]
    Text(String),
    /// There would be too many.
    #[error("it has {have} topics; {add} more make {}, and the most is {TOPICS_MAX}", have + add)]
    TooMany {
        /// How many are there.
        have: usize,
        /// How many would be new.
        add: usize,
    },
}

/// Checks a topic by the host's rule.
///
/// # Errors
/// [`TopicError::Text`].
pub fn check_topic(text: &str) -> Result<(), TopicError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = (1..=TOPIC_MAX).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || b == b'-');
    if fits { Ok(()) } else { Err(TopicError::Text(text.to_owned())) }
}

/// The topic that a language or another name makes: lower case, other characters as `-`.
///
/// # Examples
/// ```
/// use datum_core::hygiene::topic_of;
/// assert_eq!(topic_of("Jupyter Notebook").as_deref(), Some("jupyter-notebook"));
/// assert_eq!(topic_of("C++").as_deref(), Some("cpp"));
/// ```
pub fn topic_of(name: &str) -> Option<String> {
    let spelt = match name {
        "C++" => "cpp".to_owned(),
        "C#" => "csharp".to_owned(),
        "F#" => "fsharp".to_owned(),
        _ => name.to_lowercase(),
    };
    let plain: String = spelt.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let topic = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    check_topic(&topic).is_ok().then_some(topic)
}

/// The topics of `have` and `add` together: all that are there, in their order, then what is new.
///
/// # Errors
/// [`TopicError::TooMany`]: none is ever dropped to make room.
pub fn merge_topics(have: &[String], add: &[String]) -> Result<Vec<String>, TopicError> {
    let mut all = have.to_vec();
    for topic in add {
        if !all.contains(topic) {
            all.push(topic.clone());
        }
    }
    if all.len() > TOPICS_MAX && all.len() > have.len() {
        return Err(TopicError::TooMany { have: have.len(), add: all.len() - have.len() });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn topics_follow_the_rule() {
        for good in ["a", "0", "fleet", "message-in-a-bottle"] {
            assert_eq!(check_topic(good), Ok(()));
        }
        for bad in ["", "-a", "A", "a b", "a_b", "é", &"a".repeat(51)] {
            assert!(check_topic(bad).is_err(), "{bad}");
        }
        assert_eq!(topic_of("…"), None);
    }

    proptest! {
        #[test]
        fn nothing_that_is_there_is_dropped(have in prop::collection::vec("[a-f]{1,2}", 0..22),
                                            add in prop::collection::vec("[a-f]{1,2}", 0..22)) {
            match merge_topics(&have, &add) {
                Ok(all) => {
                    prop_assert_eq!(&all[..have.len()], &have[..]);
                    prop_assert!(add.iter().all(|topic| all.contains(topic)));
                    prop_assert!(all.len() <= TOPICS_MAX.max(have.len()));
                }
                Err(error) => {
                    let too_many = matches!(error, TopicError::TooMany { .. });
                    prop_assert!(too_many);
                }
            }
        }
    }
}
