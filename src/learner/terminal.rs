//! Who has the terminal: Burn's dashboard, or lines.

use std::io::{IsTerminal, stdout};

/// Returns whether a line on stderr would be drawn over, or spoil what is drawn: whether the
/// output is a terminal that a dashboard has.
pub(super) fn is_drawn_on() -> bool {
    stdout().is_terminal() && system::is_raw(&stdout())
}

#[cfg(unix)]
mod system {
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, AsRawFd};

    /// Returns whether a terminal is read key by key, as a dashboard sets it.
    pub(super) fn is_raw(terminal: &impl AsFd) -> bool {
        let mut settings = MaybeUninit::<libc::termios>::uninit();
        let terminal = terminal.as_fd().as_raw_fd();
        // SAFETY: the descriptor is open while it is borrowed, and the settings are only looked at
        // once they are written.
        unsafe {
            libc::tcgetattr(terminal, settings.as_mut_ptr()) == 0
                && settings.assume_init().c_lflag & libc::ICANON == 0
        }
    }
}

#[cfg(not(unix))]
mod system {
    /// Not known here, so a terminal is left to the dashboard.
    pub(super) fn is_raw<T>(_terminal: &T) -> bool {
        true
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::os::fd::{AsRawFd, FromRawFd};
    use std::ptr::null_mut;

    use super::system::is_raw;

    #[test]
    fn a_terminal_is_a_dashboards_from_the_moment_that_it_is_read_key_by_key() {
        let (mut controller, mut terminal) = (0, 0);
        // SAFETY: the two descriptors are written before they are used, and belong to nobody else.
        let (_controller, terminal) = unsafe {
            let opened = libc::openpty(
                &mut controller,
                &mut terminal,
                null_mut(),
                null_mut(),
                null_mut(),
            );
            assert_eq!(opened, 0);
            (File::from_raw_fd(controller), File::from_raw_fd(terminal))
        };
        assert!(!is_raw(&terminal));
        // SAFETY: the settings of an open terminal, as they were read, are written back changed.
        unsafe {
            let mut settings = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(terminal.as_raw_fd(), &mut settings), 0);
            libc::cfmakeraw(&mut settings);
            let set = libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &settings);
            assert_eq!(set, 0);
        }
        assert!(is_raw(&terminal));
        assert!(!is_raw(&File::open("/dev/null").unwrap()));
    }
}
