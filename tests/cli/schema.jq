# SPDX-License-Identifier: MIT
# Does a document meet the schema? As much of JSON Schema as debar-policy.schema.json uses; a keyword
# that is not known here is an error, so that none is passed over.
# The parameter must not be called type: jq would take the builtin for it.
def is($want): if $want == "integer" then type == "number" and floor == . else type == $want end;

def meets($root; $schema):
	. as $doc
	| (if $schema | has("$ref") then $root["$defs"][$schema["$ref"] | ltrimstr("#/$defs/")] else {} end) as $target
	| ($schema | keys - ["$ref", "$schema", "$comment", "$defs", "title", "description", "type", "enum",
		"pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems",
		"items", "required", "properties", "patternProperties", "additionalProperties", "minProperties",
		"anyOf", "oneOf"]) as $unknown
	| if $unknown != [] then error("unknown keyword \($unknown)") else . end
	| ($target == {} or ($doc | meets($root; $target)))
	and ($schema.type == null or ($doc | is($schema.type)))
	and ($schema.enum == null or ($schema.enum | index([$doc]) != null))
	and (($doc | type) != "string" or (
		($schema.pattern == null or ($doc | test($schema.pattern)))
		and ($schema.minLength == null or ($doc | length) >= $schema.minLength)
		and ($schema.maxLength == null or ($doc | length) <= $schema.maxLength)))
	and (($doc | type) != "number" or (
		($schema.minimum == null or $doc >= $schema.minimum)
		and ($schema.maximum == null or $doc <= $schema.maximum)))
	and (($doc | type) != "array" or (
		($schema.minItems == null or ($doc | length) >= $schema.minItems)
		and ($schema.maxItems == null or ($doc | length) <= $schema.maxItems)
		and ($schema.uniqueItems != true or ($doc | unique | length) == ($doc | length))
		and ($schema.items == null or all($doc[]; meets($root; $schema.items)))))
	and (($doc | type) != "object" or (
		($schema.minProperties == null or ($doc | length) >= $schema.minProperties)
		and all(($schema.required // [])[]; . as $key | $doc | has($key))
		and all($doc | keys_unsorted[]; . as $key
			| (($schema.properties // {})[$key]) as $known
			| [($schema.patternProperties // {}) | to_entries[] | select(.key as $re | $key | test($re)) | .value]
				as $matching
			| (if $known != null then $doc[$key] | meets($root; $known) else true end)
			and all($matching[]; . as $one | $doc[$key] | meets($root; $one))
			and ($known != null or $matching != [] or $schema.additionalProperties != false))))
	and ($schema.anyOf == null or any($schema.anyOf[]; . as $one | $doc | meets($root; $one)))
	and ($schema.oneOf == null or ([$schema.oneOf[] | select(. as $one | $doc | meets($root; $one))] | length == 1));

. as $doc | $schema[0] as $root | $doc | meets($root; $root)
