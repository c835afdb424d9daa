"""The calls of the local cloud on certificates and CA certificates."""
import re
import subprocess

from cloud_api import ARN, EXISTS, INVALID, make_ca, MISSING, openssl, quote, sign


def test_keys_and_certificate(api, folder):
    made = api.certificate()
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], check=True, capture_output=True,
                         input=made["certificatePem"].encode()).stdout
    digest = subprocess.run(["sha256sum"], input=der, check=True, capture_output=True).stdout
    assert digest.decode().split()[0] == made["certificateId"]
    assert made["certificateArn"] == f"{ARN}cert/{made['certificateId']}"
    text = openssl("x509", "-noout", "-enddate", "-text", stdin=made["certificatePem"])
    assert "Dec 31 23:59:59 2049 GMT" in text and "2048 bit" in text
    openssl("verify", "-CAfile", folder / "cloud/device-ca.pem", stdin=made["certificatePem"])
    pair = made["keyPair"]
    assert openssl("pkey", "-pubout", stdin=pair["PrivateKey"]) == pair["PublicKey"]
    # The key is nowhere in the folder but for the keys of the CAs.
    inner = pair["PrivateKey"].splitlines()[3]
    for path in (folder / "cloud").rglob("*"):
        assert not path.is_file() or inner.encode() not in path.read_bytes()
    found = api.ok("GET", f"/certificates/{made['certificateId'].upper()}")["certificateDescription"]
    assert found["status"] == "ACTIVE" and found["certificatePem"] == made["certificatePem"]
    assert found["certificateMode"] == "DEFAULT" and found["ownedBy"] == "0" * 12
    assert found["validity"]["notAfter"] == 2524607999 and isinstance(found["creationDate"], float)
    assert api.certificate(active=False)["certificateId"] != made["certificateId"]
    assert [entry["status"] for entry in api.ok("GET", "/certificates")["certificates"]] == [
        "INACTIVE", "ACTIVE"]
    api.refused(*INVALID, "POST", "/keys-and-certificate?setAsActive=yes")


def test_certificate_from_a_request(api, folder):
    request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384",
                      "-nodes", "-keyout", folder / "dev.key", "-subj", "/O=Plant/CN=dev 7")
    made = api.ok("POST", "/certificates?setAsActive=true", {"certificateSigningRequest": request})
    assert "keyPair" not in made
    text = openssl("x509", "-noout", "-subject", "-enddate", stdin=made["certificatePem"])
    assert "CN = dev 7" in text and "2049" in text
    weak = openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", folder / "weak.key",
                   "-subj", "/CN=weak")
    broken = request.replace("\n", "\nAAAA", 2)
    for text in (weak, broken, "no request", "", "x" * 5000):
        api.refused(*INVALID, "POST", "/certificates", {"certificateSigningRequest": text})
    api.refused(*INVALID, "POST", "/certificates", {})


def test_states_of_a_certificate(api):
    made = api.certificate()
    path = f"/certificates/{made['certificateId']}"
    for status in ("INACTIVE", "REVOKED", "ACTIVE"):
        api.ok("PUT", f"{path}?newStatus={status}")
        assert api.ok("GET", path)["certificateDescription"]["status"] == status
    for query in ("newStatus=PENDING_TRANSFER", "newStatus=PENDING_ACTIVATION", "newStatus=OLD", ""):
        api.refused(*INVALID, "PUT", f"{path}?{query}")
    api.refused(406, "CertificateStateException", "DELETE", path)
    api.policy("p")
    api.thing("gw")
    api.ok("PUT", "/target-policies/p", {"target": made["certificateArn"]})
    api.ok("PUT", "/things/gw/principals", principal=made["certificateArn"])
    api.ok("PUT", f"{path}?newStatus=INACTIVE")
    api.refused(409, "DeleteConflictException", "DELETE", f"{path}?forceDelete=true")  # the thing
    api.ok("DELETE", "/things/gw/principals", principal=made["certificateArn"])
    api.refused(409, "DeleteConflictException", "DELETE", path)  # the policy
    api.ok("DELETE", f"{path}?forceDelete=true")
    for method, tail in (("GET", ""), ("DELETE", ""), ("PUT", "?newStatus=ACTIVE")):
        api.refused(*MISSING, method, path + tail)
    api.refused(*INVALID, "GET", "/certificates/short")


def test_certificates_are_listed_newest_first_in_pages(api, folder):
    ca = make_ca(folder, "ca", "/CN=any")
    ids = [api.ok("POST", "/certificate/register-no-ca", {
        "certificatePem": sign(folder, f"d{i}", f"/CN=d{i}", ca)})["certificateId"]
           for i in range(3)]
    page = api.ok("GET", "/certificates?pageSize=2")
    assert [entry["certificateId"] for entry in page["certificates"]] == ids[:0:-1]
    rest = api.ok("GET", f"/certificates?pageSize=2&marker={quote(page['nextMarker'])}")
    assert [entry["certificateId"] for entry in rest["certificates"]] == ids[:1]
    assert "nextMarker" not in rest
    rising = api.ok("GET", "/certificates?isAscendingOrder=true&pageSize=250")
    assert [entry["certificateId"] for entry in rising["certificates"]] == ids
    for query in ("pageSize=0", "pageSize=251", "marker=%3F", "isAscendingOrder=1"):
        api.refused(*INVALID, "GET", f"/certificates?{query}")


def test_a_certificate_by_any_issuer(api, folder):
    pem = sign(folder, "dev", "/CN=dev", make_ca(folder, "ca", "/CN=Any CA"))
    made = api.ok("POST", "/certificate/register-no-ca", {"certificatePem": pem, "status": "ACTIVE"})
    found = api.ok("GET", f"/certificates/{made['certificateId']}")["certificateDescription"]
    assert found["status"] == "ACTIVE" and found["certificateMode"] == "SNI_ONLY"
    taken = api.refused(*EXISTS, "POST", "/certificate/register-no-ca", {"certificatePem": pem})
    assert taken["resourceId"] == made["certificateId"]
    api.refused(*INVALID, "POST", "/certificate/register-no-ca", {
        "certificatePem": pem, "status": "PENDING_TRANSFER"})
    api.refused(*INVALID, "POST", "/certificate/register-no-ca", {})
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register-no-ca",
                {"certificatePem": "text"})
    weak = openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", folder / "w.key",
                   "-subj", "/CN=weak")
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register-no-ca",
                {"certificatePem": weak})


def test_ca_certificates(api, folder):
    ca = make_ca(folder, "ca", "/CN=Plant CA")
    pem = ca[1].read_text()
    code = api.ok("GET", "/registrationcode")["registrationCode"]
    assert re.fullmatch("[0-9a-f]{64}", code) and api.ok("GET", "/registrationcode") == {
        "registrationCode": code}
    device = sign(folder, "dev", "/CN=dev", ca)
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register",
                {"certificatePem": device})  # the CA is not registered
    wrong = sign(folder, "wrong", "/CN=guess", ca)
    api.refused(400, "RegistrationCodeValidationException", "POST", "/cacertificate",
                {"caCertificate": pem, "verificationCertificate": wrong})
    foreign = sign(folder, "foreign", f"/CN={code}", make_ca(folder, "ca2", "/CN=Plant CA"))
    api.refused(400, "CertificateValidationException", "POST", "/cacertificate",
                {"caCertificate": pem, "verificationCertificate": foreign})
    api.refused(*INVALID, "POST", "/cacertificate", {"caCertificate": pem})
    api.refused(*INVALID, "POST", "/cacertificate", {"caCertificate": pem, "certificateMode": "ODD"})
    api.refused(400, "CertificateValidationException", "POST", "/cacertificate",
                {"caCertificate": device, "certificateMode": "SNI_ONLY"})  # no CA
    proof = sign(folder, "proof", f"/CN={code}", ca)
    config = {"templateName": "fleet", "roleArn": "arn:aws:iam::000000000000:role/fleet"}
    body = {"caCertificate": pem, "verificationCertificate": proof, "registrationConfig": config}
    made = api.ok("POST", "/cacertificate?setAsActive=true&allowAutoRegistration=true", body)
    assert made["certificateArn"] == f"{ARN}cacert/{made['certificateId']}"
    api.refused(*EXISTS, "POST", "/cacertificate", body)
    path = f"/cacertificate/{made['certificateId']}"
    found = api.ok("GET", path)
    assert found["registrationConfig"] == config
    described = found["certificateDescription"]
    assert described["status"] == "ACTIVE" and described["autoRegistrationStatus"] == "ENABLE"
    assert described["certificateMode"] == "DEFAULT"
    assert len(api.ok("GET", "/cacertificates?templateName=fleet")["certificates"]) == 1
    assert api.ok("GET", "/cacertificates?templateName=other")["certificates"] == []

    signed = api.ok("POST", "/certificate/register?setAsActive=true", {"certificatePem": device})
    entry = api.ok("GET", f"/certificates/{signed['certificateId']}")["certificateDescription"]
    assert entry["caCertificateId"] == made["certificateId"] and entry["status"] == "ACTIVE"
    listed = api.ok("GET", f"/certificates-by-ca/{made['certificateId']}")["certificates"]
    assert [item["certificateId"] for item in listed] == [signed["certificateId"]]

    api.refused(406, "CertificateStateException", "DELETE", path)
    api.refused(*INVALID, "PUT", f"{path}?newStatus=GONE")
    api.ok("PUT", f"{path}?newStatus=INACTIVE&newAutoRegistrationStatus=DISABLE",
           {"removeAutoRegistration": True})
    assert "registrationConfig" not in api.ok("GET", path)
    api.refused(406, "CertificateStateException", "POST", "/certificate/register",
                {"certificatePem": sign(folder, "dev2", "/CN=dev2", ca)})
    assert api.ok("DELETE", path) == {}
    for method in ("GET", "DELETE", "PUT"):
        api.refused(*MISSING, method, path)
    assert api.ok("DELETE", "/registrationcode") == {}
    assert api.ok("GET", "/registrationcode")["registrationCode"] != code


def test_cas_with_one_subject(api, folder):
    cas = [make_ca(folder, f"ca{i}", "/CN=Twin") for i in range(11)]
    for ca in cas[:10]:
        api.ok("POST", "/cacertificate?setAsActive=true", {
            "caCertificate": ca[1].read_text(), "certificateMode": "SNI_ONLY"})
    api.refused(410, "LimitExceededException", "POST", "/cacertificate", {
        "caCertificate": cas[10][1].read_text(), "certificateMode": "SNI_ONLY"})
    device = sign(folder, "dev", "/CN=dev", cas[3])
    api.refused(409, "CertificateConflictException", "POST", "/certificate/register",
                {"certificatePem": device})
    api.ok("POST", "/certificate/register", {
        "certificatePem": device, "caCertificatePem": cas[3][1].read_text()})
    api.refused(400, "CertificateValidationException", "POST", "/certificate/register", {
        "certificatePem": sign(folder, "dev2", "/CN=dev2", cas[3]),
        "caCertificatePem": cas[4][1].read_text()})
