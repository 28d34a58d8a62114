//! Exams: sections of boxes with a passing mark, in three answers as well.

use super::book::Book;
use super::engine::settle;
use super::report::{Answer, Outcome};
use super::rule::{Marks, Probe};
use super::scope::Verdict;

/// Judges the sections of exams from the boxes that stand in `outcomes`, the outcomes of the book's rules in order.
pub(crate) fn judge(book: &Book, outcomes: &mut [Outcome]) {
    let boxes: Vec<(String, Option<u8>, Answer)> =
        outcomes.iter().map(|box_| (pack(&box_.rule).to_owned(), box_.section, box_.answer)).collect();
    for (rule, outcome) in book.rules().zip(outcomes) {
        let Probe::Marks(marks) = &rule.probe else { continue };
        if outcome.answer == Answer::Skipped {
            continue;
        }
        let pack = pack(rule.id());
        let mine = boxes.iter().filter(|(of, section, _)| {
            of == pack && section.is_some() && (marks.section.is_none() || *section == marks.section)
        });
        let answers: Vec<Answer> = mine.map(|(.., answer)| *answer).collect();
        settle(outcome, verdict(marks, &answers));
    }
}

fn pack(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

fn verdict(marks: &Marks, boxes: &[Answer]) -> Verdict {
    let count = |answer: Answer| boxes.iter().filter(|is| **is == answer).count();
    let (pass, unknown, fail) = (count(Answer::Pass), count(Answer::Unknown), count(Answer::Fail));
    let all = pass + unknown + fail;
    let score = format!(
        "{pass} of {all} boxes pass, {fail} fail, {unknown} unknown; the passing mark is {}",
        marks.passing
    );
    if all == 0 {
        Verdict::Unknown("no box of the section applies here".to_owned())
    } else if pass >= marks.passing {
        Verdict::Pass(score)
    } else if pass + unknown < marks.passing {
        Verdict::fail(score)
    } else {
        Verdict::Unknown(score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Answer::{Fail, Pass, Skipped, Unknown};

    #[test]
    fn a_section_fails_only_when_no_unknown_box_could_save_it() {
        let marks = Marks { section: Some(1), passing: 2 };
        let kind = |boxes: &[Answer]| match verdict(&marks, boxes) {
            Verdict::Pass(_) => "pass",
            Verdict::Fail(_) => "fail",
            _ => "unknown",
        };
        assert_eq!(kind(&[Pass, Pass, Fail]), "pass");
        assert_eq!(kind(&[Pass, Fail, Unknown]), "unknown");
        assert_eq!(kind(&[Pass, Fail, Fail]), "fail");
        assert_eq!(kind(&[Skipped]), "unknown");
    }
}
