"""What M-Pesa says about the end of a request: Safaricom's codes with their texts."""

SUCCESS = "0"
INSUFFICIENT_FUNDS = "1"
ABOVE_MAXIMUM = "3"
EXPIRED = "1019"
CANCELLED = "1032"
UNREACHABLE = "1037"
WRONG_PIN = "2001"
NOT_PERMITTED = "2028"
NO_OPERATOR = "SFC_IC0003"
SYSTEM_BUSY = "26"
BAD_PAYER = "C2B00011"
BAD_ACCOUNT = "C2B00012"
BAD_AMOUNT = "C2B00013"
BAD_SHORTCODE = "C2B00015"
REFUSED_BY_BUSINESS = "C2B00016"
ALREADY_REVERSED = "R000001"
UNKNOWN_TRANSACTION = "R000002"

DESCRIPTIONS = {
    SUCCESS: "The service request is processed successfully.",
    INSUFFICIENT_FUNDS: "The balance is insufficient for the transaction.",
    "2": "Declined due to limit rule: less than the minimum transaction amount.",
    ABOVE_MAXIMUM: "Declined due to limit rule: greater than the maximum transaction amount.",
    "4": "Declined due to limit rule: would exceed daily transfer limit.",
    "8": "Declined due to limit rule: would exceed the maximum balance.",
    "17": "Rule limited.",
    SYSTEM_BUSY: "System busy. Try again in a short while.",
    "1001": "Unable to lock subscriber, a transaction is already in process for the current subscriber.",
    EXPIRED: "Transaction has expired.",
    "1025": "An error occurred while sending a push request.",
    CANCELLED: "Request cancelled by user.",
    UNREACHABLE: "DS timeout user cannot be reached.",
    WRONG_PIN: "The initiator information is invalid.",
    NOT_PERMITTED: "The request is not permitted according to product assignment.",
    "8006": "The security credential is locked.",
    "9999": "Request failed.",
    NO_OPERATOR: "The operator does not exist.",
    BAD_PAYER: "Invalid MSISDN.",
    BAD_ACCOUNT: "Invalid account number.",
    BAD_AMOUNT: "Invalid amount.",
    "C2B00014": "Invalid KYC details.",
    BAD_SHORTCODE: "Invalid shortcode.",
    REFUSED_BY_BUSINESS: "Other error.",
    ALREADY_REVERSED: "The transaction has already been reversed.",
    UNKNOWN_TRANSACTION: "The OriginalTransactionID is invalid.",
}


def describe(*, code: str) -> str:
    """Return the text that goes with a code, also for one that no sheet lists."""
    return DESCRIPTIONS.get(code, "Request failed.")


def on_the_wire(*, code: str) -> int | str:
    """Return the code as a callback carries it: a number where it is one, else a text."""
    return int(code) if code.isdigit() else code


def fate(*, code: str) -> str:
    """Return the TransactionStatus of a prompt or a reversal by its result code; an empty code is no result yet."""
    fates = {
        "": "Initiated",
        SUCCESS: "Completed",
        CANCELLED: "Cancelled",
        UNREACHABLE: "Expired",
        EXPIRED: "Expired",
    }
    return fates.get(code, "Declined")
