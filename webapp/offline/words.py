"""The texts that scripts put on the screen, in the language of the page."""

from __future__ import annotations

from flask_babel import gettext as _


def everywhere() -> dict[str, str]:
    """On every page of somebody who is logged in. ``{n}`` and the like are filled in by the script."""
    return {
        "saved": _("Saved"),
        "sending": _("Kept on this phone; {n} being sent"),
        "net_a": _("No network. {n} kept on this phone, sealed, and sent later. You can go on."),
        "net_b": _(
            "No network. {n} kept on this phone and sent later. Keep this page open: other pages need the network."
        ),
        "net_b_stay": _(
            "No network: the next page cannot be opened yet. Your answers are kept on this phone; try again later."
        ),
        "net_c": _(
            "This browser can keep nothing on the phone. Without a network, do not close the page before it is saved."
        ),
        "not_kept": _("This answer could not be kept on the phone. Press “Save and go on” while there is a network."),
        "conflicts": _("{n} answered differently on another phone."),
        "choose": _("Go and choose"),
        "refused": _("{n} not accepted by the server."),
        "look": _("Have a look"),
        "login": _("Your log-in has ended. Your answers are kept on this phone."),
        "log_in": _("Log in again"),
        "resume_title": _("Go on with your unsent answers?"),
        "resume": _("{n} answers are kept on this phone that the server does not have yet, the last of {at}."),
        "n_of": _("the server has {n} of {total}"),
        "resume_mine": _("Go on with mine"),
        "resume_theirs": _("Drop them and use the server's"),
        "contradiction": _("Contradiction:"),
        "act": _("Act now:"),
        "look_here": _("Please look:"),
        "provisional": _("Provisional: {grade}"),
        "possible": _("Still possible: {best} to {worst}"),
        "pace_item": _("One question at a time"),
        "pace_page": _("All questions of the page"),
        "question_of": _("Question {n} of {m}"),
        "question_next": _("Next question"),
        "question_back": _("Question before"),
        "outbox_n": _("Unsent: {n}"),
        "logout": _(
            "{n} changes are not sent yet. Logging out deletes them from this phone for good. Log out all the same?"
        ),
    }


def outbox() -> dict[str, str]:
    """The outbox."""
    return {
        "empty": _("Nothing waits. All that you entered is with the server."),
        "state_waiting": _("waits to be sent"),
        "state_conflict": _("answered differently elsewhere"),
        "state_refused": _("not accepted"),
        "other_account": _("entered under another log-in; it is sent when that person logs in"),
        "unreadable": _("This entry cannot be opened any more."),
        "new_visit": _("A new visit"),
        "answers_n": _("{n} answers"),
        "unknown_person": _("a visit of this phone"),
        "mine": _("On this phone"),
        "theirs": _("On the server"),
        "side_by_side": _("For each question, choose which answer holds."),
        "keep_chosen": _("Keep what I chose"),
        "delete": _("Delete"),
        "delete_sure": _("Delete this for good? It is nowhere else."),
        "try_again": _("Try again"),
        "correct": _("Correct the person"),
        "exported": _("The file is saved among your downloads."),
        "plain_sure": _("Whoever gets this file can read all of it. Save it unsealed all the same?"),
        "passphrase_short": _("A passphrase has at least 8 characters."),
        "file_bad": _("This file cannot be opened: another passphrase, or not a file of this form."),
        "taken_in": _("{n} changes taken in from the file."),
        "result_sent": _("All sent."),
        "result_offline": _("No network. Nothing is lost; try again later."),
        "result_login": _("Log in first; then it is sent."),
        "result_later": _("The server cannot take it just now. It is tried again by itself."),
        "result_elsewhere": _("Another window of this phone is sending just now."),
    }


def offline() -> dict[str, str]:
    """The page for times without a network."""
    return {
        "nobody": _("Nobody has logged in on this phone yet. Log in once while there is a network."),
        "no_drafts": _(
            "No draft is kept on this phone. A draft that you open while there is a network is kept from then on."
        ),
        "drafts": _("Drafts on this phone"),
        "go_on": _("Go on"),
        "new": _("New visit"),
        "records": _("Records"),
        "back_online": _("The network is back."),
        "to_server": _("Open this visit on the server"),
        "answered": _("Answered"),
        "page_of": _("page {place} of {places}"),
        "next": _("Save and go on"),
        "back": _("Back"),
        "to_result": _("To the result"),
        "next_gap": _("Next open one"),
        "open": _("open"),
        "optional": _("optional"),
        "points": _("{score} pt"),
        "choose_one": _("Choose"),
        "range": _("({low} to {high})"),
        "skipped": _("Not asked, because of another answer."),
        "about": _("About this item"),
        "remark": _("Note, or cannot be assessed"),
        "cannot": _("Cannot be assessed, because"),
        "can": _("It can be assessed"),
        "note": _("Note"),
        "other_questions": _("Other questions"),
        "basic": _("Basic information"),
        "more": _("More"),
        "result": _("Provisional result"),
        "result_note": _("Worked out on this phone. The server works it out again; its result holds."),
        "no_rules": _("The rules of this place are not on this phone: it can keep the answers, not grade them."),
        "missing_n": _("{n} answers are still missing."),
        "hints": _("Please look"),
        "screening": _("Memory screening"),
        "opens": _("What this opens"),
        "eligible": _("May apply"),
        "unknown": _("More to know"),
        "ineligible": _("Not eligible"),
        "no_outcomes": _("Not worked out on this phone."),
        "err_name": _("Enter the name"),
        "err_id": _("18 places; the last may be X. Check the number."),
        "err_birth": _("Enter the date of birth, or the identity number"),
        "err_sex": _("Choose the sex, or enter the identity number"),
        "err_by": _("Say who answered"),
        "err_by_name": _("Enter the name of whoever answered"),
        "err_place": _("Choose the place"),
        "err_instrument": _("Choose at least one"),
    }


def diag() -> dict[str, str]:
    """What this phone can do."""
    return {
        "yes": _("yes"),
        "no": _("no"),
        "browser": _("Browser"),
        "in_wechat": _("WeChat's own web view"),
        "not_wechat": _("a browser of the phone"),
        "worker": _("Pages without a network (service worker)"),
        "worker_active": _("ready"),
        "worker_idle": _("possible, not set up yet: open the records once while there is a network"),
        "database": _("Keeping answers on the phone (IndexedDB)"),
        "crypto": _("Sealing them (AES-GCM)"),
        "key": _("Key made, and it cannot be taken out"),
        "persist": _("The browser promises not to clear it"),
        "persist_no": _("no: it may clear what is kept when the phone runs short of space"),
        "locks": _("One sender at a time (locks)"),
        "storage": _("Space"),
        "storage_of": _("{used} MB used, {quota} MB allowed"),
        "clock": _("This phone's clock"),
        "clock_ok": _("right, within {s} seconds"),
        "clock_off": _("{s} seconds off. It does not matter for what you save."),
        "clock_unknown": _("cannot be compared without the server"),
        "drafts_n": _("Drafts kept here"),
        "unsent_n": _("Changes not sent yet"),
        "a": _("All of it works: with no network you can go on filling in forms, reload pages and start new visits."),
        "b": _(
            "Half of it works: a page that is open keeps your answers without a network, but it must stay open. In the phone's own browser more works."
        ),
        "c": _("Nothing can be kept on this phone: use it only with a network, or print the paper form."),
    }
