// Package frames writes small documents as Zstandard frames (RFC 8878) against a
// dictionary, which every decoder of the format reads. It is for documents of a few
// kilobytes, for which the library spends most of its time putting its tables back to the
// dictionary's.
package frames
