//! The MUSTs of the contract.
