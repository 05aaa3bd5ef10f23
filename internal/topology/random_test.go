package topology

// RandomSpec is for the tests of what is made of Specs elsewhere.
var RandomSpec = randomSpec
