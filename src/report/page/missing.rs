//! What a run has not recorded.

use crate::error::LcaError;

/// Returns a result, or why there is none where that is no reason to have no page.
pub(super) fn known<T>(
    result: Result<T, LcaError>,
) -> Result<(Option<T>, Option<String>), LcaError> {
    match result {
        Ok(found) => Ok((Some(found), None)),
        Err(
            LcaError::NotRecorded {
                problem, remedy, ..
            }
            | LcaError::Setting {
                problem, remedy, ..
            },
        ) => {
            // Elsewhere the run's folder stands before it.
            let subject = if problem.starts_with("has ") {
                "the run "
            } else {
                ""
            };
            Ok((None, Some(format!("{subject}{problem}; {remedy}"))))
        }
        Err(error) => Err(error),
    }
}
