package kafkatest

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func (k *Kafka) hasSASL() bool { return slices.ContainsFunc(k.options.Listeners, Listener.sasl) }

// addScramUsers makes the SCRAM users of a ZooKeeper cluster by request (KIP-554); KRaft got them with its format.
func (k *Kafka) addScramUsers(ctx context.Context) error {
	if !k.hasSASL() || k.version.kraft() || len(k.options.Users) == 0 {
		return nil
	}
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for _, u := range k.options.Users {
		for mechanism, hash := range map[int8]func() hash.Hash{1: sha256.New, 2: sha512.New} {
			upsertion, err := scramUpsertion(u, mechanism, hash)
			if err != nil {
				return fmt.Errorf("kafkatest: no SCRAM secret for %s: %w", u.Name, err)
			}
			req.Upsertions = append(req.Upsertions, upsertion)
		}
	}
	return retry(ctx, func(ctx context.Context) error {
		controller, err := k.controller(ctx)
		if err != nil {
			return err
		}
		response, err := controller.request(ctx, req)
		if err != nil {
			return err
		}
		for _, result := range response.(*kmsg.AlterUserSCRAMCredentialsResponse).Results {
			if err := codeError(result.ErrorCode, result.ErrorMessage); err != nil {
				return fmt.Errorf("SCRAM user %s: %w", result.User, err)
			}
		}
		return nil
	})
}

func scramUpsertion(u User, mechanism int8, h func() hash.Hash) (kmsg.AlterUserSCRAMCredentialsRequestUpsertion, error) {
	const iterations = 4096
	up := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	up.Name, up.Mechanism, up.Iterations, up.Salt = u.Name, mechanism, iterations, make([]byte, 16)
	_, _ = rand.Read(up.Salt)
	salted, err := pbkdf2.Key(h, u.Password, up.Salt, iterations, h().Size())
	up.SaltedPassword = salted
	return up, err
}
