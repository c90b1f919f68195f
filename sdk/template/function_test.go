package template_test

// pure are the functions of template files, each looked at: its answer depends on
// its arguments alone.
const pure = `
abbrev abbrevboth add add1 add1f addf adler32sum all any append atoi b32dec b32enc b64dec b64enc base biggest
camelcase cat ceil chunk clean coalesce compact concat contains decryptAES deepCopy deepEqual default dict
dig dir div divf empty ext fail first float64 floor fragments fromJson get gzip has hasKey hasPrefix hasSuffix
include indent initial initials int int64 isAbs join kebabcase kindIs kindOf last list lower max maxf merge
mergeOverwrite min minf mod mul mulf mustAppend mustChunk mustCompact mustDeepCopy mustFirst mustFromJson
mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustPush mustRegexFind mustRegexFindAll
mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral mustRegexSplit mustRest mustReverse mustSlice
mustToJson mustToPrettyJson mustToRawJson mustUniq mustWithout names nindent nospace omit osBase osClean osDir
osExt osIsAbs pick pluck plural prepend push quote regexFind regexFindAll regexMatch regexQuoteMeta
regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace rest reverse round semver semverCompare seq
set sha1sum sha256sum sha512sum slice snakecase sortAlpha split splitList splitn squote sub subf substr
swapcase ternary title toDecimal toJson toPrettyJson toRawJson toString toStrings trim trimAll trimPrefix
trimSuffix trimall trunc tuple typeIs typeIsLike typeOf uniq unset until untilStep untitle upper urlJoin
urlParse without wrap wrapWith
`
