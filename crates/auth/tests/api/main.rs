//! The Auth API over a real database, in process: requests in, responses out.
//!
//! Attacks of the security suite carry their id in their name (`g9_…`).

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod sign_up;
