#!/bin/sh
# The manual's chapter 1 with Debian's AWS command line: thing, certificate, policy, attachments, the
# endpoint, and a first message; then what must be refused. Prints one line for each step.
#
#   aws_chapter1.sh URL FOLDER     URL of the local cloud's API; files go to FOLDER
#
set -eu

url=$1
folder=$2
thing=aws_iot_test
policy=aws_iot_test_policy
allow='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'

# The local cloud looks at no signature, but the command line wants keys and a region to sign with.
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=eu-central-1
export AWS_EC2_METADATA_DISABLED=true AWS_PAGER='' HOME="$folder"
aws=${AWS:-/usr/bin/aws}

iot() {
    "$aws" iot --endpoint-url "$url" --output text "$@"
}

data() {
    "$aws" iot-data --endpoint-url "$url" --cli-binary-format raw-in-base64-out "$@"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# same WHAT EXPECTED FOUND
same() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
    echo "ok: $1"
}

# holds WHAT PART TEXT
holds() {
    case $3 in
    *"$2"*) echo "ok: $1" ;;
    *) fail "$1: '$2' is not in '$3'" ;;
    esac
}

# refused ERROR COMMAND...: fails with that error type, exit status 254
refused() {
    error=$1
    shift
    status=0
    text=$("$@" 2>&1) || status=$?
    [ $status -eq 254 ] || fail "$*: status $status instead of 254: $text"
    holds "$error: $2 $3" "($error)" "$text"
}

# 1.1.1 Creating things, with certificate and keys under AWS's names
holds create-thing "thing/$thing" "$(iot create-thing --thing-name $thing \
    --attribute-payload '{"attributes":{"site":"plant7"}}' --query thingArn)"
arn=$(iot create-keys-and-certificate --set-as-active \
    --certificate-pem-outfile "$folder/certificate.pem.crt" \
    --private-key-outfile "$folder/private.pem.key" \
    --public-key-outfile "$folder/public.pem.key" --query certificateArn)
id=${arn##*/}
same "the certificate belongs to the private key" \
    "$(openssl x509 -noout -pubkey -in "$folder/certificate.pem.crt")" \
    "$(openssl pkey -pubout -in "$folder/private.pem.key")"
same "the id is the certificate's SHA-256" "$id" \
    "$(openssl x509 -outform DER -in "$folder/certificate.pem.crt" | sha256sum | cut -d' ' -f1)"
same describe-certificate ACTIVE "$(iot describe-certificate --certificate-id "$id" \
    --query certificateDescription.status)"

# 1.1.2 Creating the policy
same create-policy 1 "$(iot create-policy --policy-name $policy --policy-document "$allow" \
    --query policyVersionId)"

# 1.1.3 Attaching policy and thing to the certificate
iot attach-policy --policy-name $policy --target "$arn"
iot attach-thing-principal --thing-name $thing --principal "$arn"
same list-attached-policies $policy "$(iot list-attached-policies --target "$arn" \
    --query 'policies[].policyName')"
same list-targets-for-policy "$arn" "$(iot list-targets-for-policy --policy-name $policy \
    --query targets)"
same list-thing-principals "$arn" "$(iot list-thing-principals --thing-name $thing \
    --query principals)"
same list-principal-things $thing "$(iot list-principal-things --principal "$arn" --query things)"
same list-things $thing "$(iot list-things --attribute-name site --attribute-value plant7 \
    --query 'things[].thingName')"
holds list-certificates "$id" "$(iot list-certificates --query 'certificates[].certificateId')"
holds list-policies $policy "$(iot list-policies --query 'policies[].policyName')"
holds describe-thing plant7 "$(iot describe-thing --thing-name $thing --query attributes.site)"

# 1.2 and 2: the endpoint of the Settings page, and a message
same describe-endpoint localhost "$(iot describe-endpoint --endpoint-type iot:Data-ATS \
    --query endpointAddress)"
data publish --topic "gw/1/cmd x" --qos 1 --payload '{"message":"Hello from AWS IoT console"}'
echo "ok: publish"
refused ResourceNotFoundException data get-thing-shadow --thing-name $thing /dev/null
data update-thing-shadow --thing-name $thing \
    --payload '{"state":{"desired":{"speed":5}}}' "$folder/updated.json" >/dev/null
data get-thing-shadow --thing-name $thing "$folder/shadow.json" >/dev/null
holds get-thing-shadow '"speed":5' "$(tr -d ' ' <"$folder/shadow.json")"

# What is refused
refused ResourceNotFoundException iot describe-thing --thing-name nobody
refused ResourceNotFoundException iot get-policy --policy-name nobody
refused ResourceAlreadyExistsException iot create-thing --thing-name $thing \
    --attribute-payload '{"attributes":{"site":"plant8"}}'
refused ResourceAlreadyExistsException iot create-policy --policy-name $policy \
    --policy-document "$allow"
refused MalformedPolicyException iot create-policy --policy-name other --policy-document '{"Version":'
refused DeleteConflictException iot delete-policy --policy-name $policy
refused CertificateStateException iot delete-certificate --certificate-id "$id"
refused InvalidRequestException iot delete-thing --thing-name $thing
refused InvalidRequestException iot attach-policy --policy-name $policy \
    --target "arn:aws:iot:eu-central-1:123456789012:cert/$id"
refused VersionConflictException iot update-thing --thing-name $thing --expected-version 9

# And all of it away again
iot detach-thing-principal --thing-name $thing --principal "$arn"
iot detach-policy --policy-name $policy --target "$arn"
iot update-certificate --certificate-id "$id" --new-status INACTIVE
iot delete-certificate --certificate-id "$id"
iot delete-policy --policy-name $policy
iot delete-thing --thing-name $thing
refused ResourceNotFoundException iot describe-thing --thing-name $thing
refused ResourceNotFoundException iot describe-certificate --certificate-id "$id"
refused ResourceNotFoundException iot get-policy --policy-name $policy
echo "chapter 1 is done"
