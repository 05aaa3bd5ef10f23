package topology

import (
	"errors"
	"fmt"
	"strings"
)

// Code classifies an Error. The API maps each code to one HTTP status.
type Code string

// The codes, one per kind of failure a caller can act on differently.
const (
	CodeInvalid      Code = "invalid"
	CodeMalformed    Code = "malformed"
	CodeNotFound     Code = "not_found"
	CodeConflict     Code = "conflict"
	CodeNotManaged   Code = "not_managed"
	CodeBusy         Code = "busy"
	CodePrecondition Code = "precondition_failed"
	CodeUnsupported  Code = "unsupported"
	CodeIncomplete   Code = "incomplete"
	CodeForbidden    Code = "forbidden"
	CodeTooLarge     Code = "too_large"
	CodeStorage      Code = "storage" // the database cannot be written or read
	CodeInternal     Code = "internal"
)

// FieldError says what is wrong with one field of a request or document.
type FieldError struct {
	// Pointer is the JSON pointer (RFC 6901) of the field.
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
	// Line and Column, from 1, say where in a document; 0 where there is none.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
}

// Error is a failure with a meaning: what kind, about which object, in words
// for the person who asked. Err, if set, is the cause and stays in the log.
type Error struct {
	Code    Code
	Subject string // the object, written as in a Plan: "A", "A/eth0"
	Detail  string
	Hint    string
	Fields  []FieldError
	Err     error
}

// Error writes subject, detail, the field errors and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Subject != "" {
		b.WriteString(e.Subject + ": ")
	}
	b.WriteString(e.Detail)
	for i, f := range e.Fields {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep + f.Pointer + " " + f.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a code about a subject.
func Errorf(code Code, subject, format string, args ...any) *Error {
	return &Error{Code: code, Subject: subject, Detail: fmt.Sprintf(format, args...)}
}

// WithHint adds what the caller can do about it.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// CodeOf finds the code of the first Error in err's chain; an error without
// one is internal, no error has the empty code.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
