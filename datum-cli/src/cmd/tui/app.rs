//! What is looked at, and what each key does to that: no terminal, no clock, no repository.

use super::page::{Page, Row};
use super::pages::TITLES;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Longest filter, characters.
const FILTER_MAX: usize = 100;

/// What follows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing more than a new picture.
    Stay,
    /// Look at once whether something came.
    Look,
    /// The end.
    End,
}

/// What the keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    /// The list.
    List,
    /// The text behind a row, on the whole screen.
    Text,
    /// The filter that is typed.
    Filter,
    /// The table of keys.
    Help,
}

/// A page as it is looked at.
#[derive(Debug, Default)]
pub(super) struct Tab {
    pub(super) page: Page,
    /// The rows that the filter leaves, by their place in the page.
    pub(super) shown: Vec<usize>,
    /// The row that is looked at, by its place among those shown.
    pub(super) at: usize,
    /// The first row on the screen.
    pub(super) top: usize,
    pub(super) filter: String,
}

impl Tab {
    /// The row that is looked at.
    pub(super) fn row(&self) -> Option<&Row> {
        self.shown.get(self.at).map(|row| &self.page.rows[*row])
    }

    fn sift(&mut self, key: Option<&str>) {
        let wanted = self.filter.to_lowercase();
        let rows = self.page.rows.iter().enumerate();
        self.shown = rows.filter(|(_, row)| row.holds(&wanted)).map(|(at, _)| at).collect();
        let same = key.and_then(|key| self.shown.iter().position(|at| self.page.rows[*at].key == key));
        self.at = same.unwrap_or(self.at).min(self.shown.len().saturating_sub(1));
    }

    /// Takes the page as it is now; what was looked at stays looked at, wherever it went.
    fn show(&mut self, page: Page) {
        // Who looks at the newest goes on looking at the newest.
        let key = if self.at == 0 { None } else { self.row().map(|row| row.key.clone()) };
        self.page = page;
        self.sift(key.as_deref());
    }
}

/// The state of the screen.
#[derive(Debug)]
pub(super) struct App {
    /// The agent that looks, if one is named.
    pub(super) agent: Option<String>,
    pub(super) colour: bool,
    pub(super) tabs: [Tab; TITLES.len()],
    pub(super) tab: usize,
    pub(super) focus: Focus,
    /// The first line of the text on the screen.
    pub(super) scroll: usize,
    /// Greatest `scroll`, and rows of the list and of the text: known once it was drawn.
    pub(super) scroll_max: usize,
    pub(super) list_height: usize,
    pub(super) text_height: usize,
    /// Objects that could not be read.
    pub(super) damaged: usize,
}

impl App {
    pub(super) fn new(agent: Option<String>, tab: usize, colour: bool) -> Self {
        Self {
            agent,
            colour,
            tabs: Default::default(),
            tab: tab.min(TITLES.len() - 1),
            focus: Focus::List,
            scroll: 0,
            scroll_max: 0,
            list_height: 1,
            text_height: 1,
            damaged: 0,
        }
    }

    /// Takes the pages as they are now.
    pub(super) fn show(&mut self, pages: [Page; TITLES.len()]) {
        for (tab, page) in self.tabs.iter_mut().zip(pages) {
            tab.show(page);
        }
    }

    pub(super) fn current(&self) -> &Tab {
        &self.tabs[self.tab]
    }

    /// Does what `key` asks for.
    pub(super) fn key(&mut self, key: KeyEvent) -> Step {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Step::End;
        }
        match self.focus {
            Focus::Filter => self.type_filter(key.code),
            Focus::Help => self.look_at_help(key.code),
            Focus::List | Focus::Text => return self.command(key.code),
        }
        Step::Stay
    }

    fn command(&mut self, code: KeyCode) -> Step {
        match code {
            KeyCode::Char('q') => return Step::End,
            KeyCode::Char('r') => return Step::Look,
            KeyCode::Char('?') => (self.focus, self.scroll) = (Focus::Help, 0),
            KeyCode::Char('/') => self.focus = Focus::Filter,
            KeyCode::Char(c @ '1'..='5') => self.turn_to(c as usize - '1' as usize),
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.turn_to((self.tab + 1) % TITLES.len()),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => {
                self.turn_to((self.tab + TITLES.len() - 1) % TITLES.len());
            }
            KeyCode::Enter if self.current().row().is_some() => self.focus = Focus::Text,
            KeyCode::Esc | KeyCode::Backspace => self.back(),
            code => self.go(code),
        }
        Step::Stay
    }

    /// Scrolls in the table of keys; any other key leaves it.
    fn look_at_help(&mut self, code: KeyCode) {
        match code {
            KeyCode::Down
            | KeyCode::Up
            | KeyCode::PageDown
            | KeyCode::PageUp
            | KeyCode::Home
            | KeyCode::End => self.go(code),
            _ => (self.focus, self.scroll) = (Focus::List, 0),
        }
    }

    fn turn_to(&mut self, tab: usize) {
        self.tab = tab;
        self.focus = Focus::List;
        self.scroll = 0;
    }

    /// From the text to the list; from the list to all of it.
    fn back(&mut self) {
        self.scroll = 0;
        if self.focus == Focus::Text {
            self.focus = Focus::List;
        } else {
            self.filter(String::new());
        }
    }

    fn filter(&mut self, filter: String) {
        let tab = &mut self.tabs[self.tab];
        let key = tab.row().map(|row| row.key.clone());
        tab.filter = filter;
        tab.sift(key.as_deref());
        self.scroll = 0;
    }

    fn type_filter(&mut self, code: KeyCode) {
        let mut filter = self.current().filter.clone();
        match code {
            KeyCode::Enter => self.focus = Focus::List,
            KeyCode::Esc => {
                self.focus = Focus::List;
                self.filter(String::new());
            }
            KeyCode::Backspace => {
                filter.pop();
                self.filter(filter);
            }
            KeyCode::Char(c) if !c.is_control() && filter.chars().count() < FILTER_MAX => {
                filter.push(c);
                self.filter(filter);
            }
            _ => {}
        }
    }

    /// Moves in the list or in the text.
    fn go(&mut self, code: KeyCode) {
        let tab = &mut self.tabs[self.tab];
        let (at, last, page) = match self.focus {
            Focus::Text | Focus::Help => (self.scroll, self.scroll_max, self.text_height),
            _ => (tab.at, tab.shown.len().saturating_sub(1), self.list_height),
        };
        let page = page.saturating_sub(1).max(1);
        let to = match code {
            KeyCode::Down | KeyCode::Char('j') => at + 1,
            KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => at + page,
            KeyCode::PageUp | KeyCode::Char('b') => at.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            _ => return,
        };
        let to = to.min(last);
        if matches!(self.focus, Focus::Text | Focus::Help) {
            self.scroll = to;
        } else {
            tab.at = to;
            self.scroll = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::{Piece, Tone};
    use super::*;

    fn page(keys: &[&str]) -> Page {
        let row = |key: &&str| Row::new(*key, vec![Piece::new(key, Tone::Plain)]).body("text");
        Page { rows: keys.iter().map(row).collect(), ..Page::default() }
    }

    fn app(keys: &[&str]) -> App {
        let mut app = App::new(None, 0, false);
        app.show([page(keys), page(&[]), page(&[]), page(&[]), page(&[])]);
        app
    }

    fn press(app: &mut App, codes: &[KeyCode]) -> Vec<Step> {
        codes.iter().map(|code| app.key(KeyEvent::new(*code, KeyModifiers::NONE))).collect()
    }

    fn looked_at(app: &App) -> &str {
        app.current().row().map_or("", |row| row.key.as_str())
    }

    #[test]
    fn keys_move_in_the_list_and_stop_at_its_ends() {
        let mut app = app(&["a", "b", "c"]);
        press(&mut app, &[KeyCode::Up]);
        assert_eq!(looked_at(&app), "a");
        press(&mut app, &[KeyCode::Down, KeyCode::Char('j'), KeyCode::PageDown, KeyCode::Down]);
        assert_eq!(looked_at(&app), "c");
        press(&mut app, &[KeyCode::Home]);
        assert_eq!(looked_at(&app), "a");
        // An empty page has nothing to open or to move in.
        press(&mut app, &[KeyCode::Char('2'), KeyCode::Enter, KeyCode::End, KeyCode::Down]);
        assert_eq!((app.tab, app.focus, looked_at(&app)), (1, Focus::List, ""));
        press(&mut app, &[KeyCode::BackTab, KeyCode::Left]);
        assert_eq!(app.tab, 4);
        assert_eq!(press(&mut app, &[KeyCode::Char('r'), KeyCode::Char('q')]), [Step::Look, Step::End]);
    }

    #[test]
    fn a_filter_leaves_what_holds_it_and_goes_away() {
        let mut app = app(&["Pump", "sail", "bilge pump"]);
        press(
            &mut app,
            &[KeyCode::End, KeyCode::Char('/'), KeyCode::Char('P'), KeyCode::Char('u'), KeyCode::Char('q')],
        );
        assert_eq!(app.current().shown.len(), 0, "q is a letter here");
        press(&mut app, &[KeyCode::Backspace, KeyCode::Enter]);
        assert_eq!((app.current().shown.len(), app.focus), (2, Focus::List));
        press(&mut app, &[KeyCode::End, KeyCode::Esc]);
        assert_eq!((app.current().shown.len(), looked_at(&app)), (3, "bilge pump"));
    }

    #[test]
    fn what_is_looked_at_stays_when_more_comes() {
        let mut app = app(&["b", "a"]);
        app.show([page(&["c", "b", "a"]), page(&[]), page(&[]), page(&[]), page(&[])]);
        assert_eq!(looked_at(&app), "c", "at the top one sees what comes");
        press(&mut app, &[KeyCode::Down]);
        app.show([page(&["d", "c", "b", "a"]), page(&[]), page(&[]), page(&[]), page(&[])]);
        assert_eq!(looked_at(&app), "b");
        app.show([page(&["x"]), page(&[]), page(&[]), page(&[]), page(&[])]);
        assert_eq!(looked_at(&app), "x", "what has gone is not looked at");
    }
}
