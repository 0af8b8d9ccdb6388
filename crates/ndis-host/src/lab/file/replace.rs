//! `--image SERVICE=FILE`: another file for an image of the lab, so that one lab file serves all drivers
//! of a kind.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{LabFile, LabFileError};

/// Which image has which file. The path is relative to the current folder.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Replace {
    service: String,
    file: PathBuf,
}

impl LabFile {
    /// Gives images other files.
    ///
    /// # Errors
    /// No image has that service.
    pub fn replace(&mut self, replacements: &[Replace]) -> Result<(), LabFileError> {
        for Replace { service, file } in replacements {
            let services: Vec<_> = self.images.iter().map(|it| it.service.as_str()).collect();
            let services = services.join(", ");
            let image = self.images.iter_mut().find(|it| it.service == *service);
            let image = image.ok_or_else(|| {
                let message = format!(
                    "--image {service}: no [[image]] has that service; there are: {services}"
                );
                LabFileError::at("", None, message)
            })?;
            image.file.clone_from(file);
        }
        Ok(())
    }
}

impl FromStr for Replace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((service, file)) if !service.is_empty() && !file.is_empty() => Ok(Self {
                service: service.to_owned(),
                file: file.into(),
            }),
            _ => Err("write it as SERVICE=FILE"),
        }
    }
}

/// As `--image` takes it.
impl std::fmt::Display for Replace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.service, self.file.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: &str = "[[image]]\nfile = \"a.sys\"\nservice = \"a\"\n";

    #[test]
    fn an_image_gets_another_file() {
        let mut lab = LabFile::parse(LAB).unwrap();
        let replace: Replace = "a=out/b.sys".parse().unwrap();
        assert_eq!(replace.to_string(), "a=out/b.sys");
        lab.replace(&[replace]).unwrap();
        assert_eq!(lab.images[0].file, PathBuf::from("out/b.sys"));
    }

    #[test]
    fn an_image_that_is_not_there_is_refused_with_those_that_are() {
        let mut lab = LabFile::parse(LAB).unwrap();
        let error = lab.replace(&["c=b.sys".parse().unwrap()]).unwrap_err();
        assert!(error.to_string().contains("there are: a"), "{error}");
        assert!("b.sys".parse::<Replace>().is_err());
        assert!("=b.sys".parse::<Replace>().is_err());
    }
}
