//! The page and the film of a run.

use std::error::Error;
use std::path::Path;

/// Writes `report.html` and `film.gif` of the run in the sub-folder `lca`, and says where they
/// are.
#[cfg(feature = "report")]
pub fn write(output: &Path) -> Result<(), Box<dyn Error>> {
    use burn_lca::report::{film, page};
    use burn_lca::{LcaError, Run};

    let run = Run::open(output.join("lca"))?;
    let report = output.join("report.html");
    let text = page::page(std::slice::from_ref(&run))?;
    std::fs::write(&report, text).map_err(|error| format!("{}: {error}", report.display()))?;
    println!("Report      {}", report.display());
    let file = output.join("film.gif");
    match film::film(&run, &film::FilmOptions::default(), &file) {
        Ok(_) => println!("Film        {}", file.display()),
        Err(error @ LcaError::NotRecorded { .. }) => println!("No film     {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Never called: [`Options::check`](super::options::Options::check) has refused before.
#[cfg(not(feature = "report"))]
pub fn write(_: &Path) -> Result<(), Box<dyn Error>> {
    Err("built without the feature `report`".into())
}
